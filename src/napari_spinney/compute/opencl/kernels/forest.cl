// Forests as data. See planes.cl for the macros.
//
// Each kernel adds up, for every pixel and class, the leaves that the pixel reaches, and writes
// the sums (bits of uint or float) to planes that lie SUMS floats apart, of which OUT is the first.
// INPUTS lists the planes of the COUNT columns. `finish` turns sums into what was asked for.
//
// On CPU devices a work-item takes tiles of TALL rows by V columns, whose columns it copies to
// private memory first; a tile without any NaN (almost all) takes the comparisons without NaN.
// On GPUs (V == 1) a work-item is a pixel.

#if V == 1
#define TALL 1
#define TILE_ARGUMENTS                                                               \
    __global float *arena, __global const int *restrict code,                        \
        __global const int *restrict step, const int z, const int y, const int x
#define TILE arena, code, step, z, y, x
#define VALUE(feature, j) ROW(code[INPUTS + (feature)], z, y)[x]
#else
#define TALL 8
#define TILE_ARGUMENTS const float *restrict tile
#define TILE tile
#define VALUE(feature, j) LOAD(tile + ((feature) * TALL + (j)) * V)

// Copy the columns of one tile; rows past the region repeat the last. Says whether any is NaN.
INLINE int gather(__global float *arena, __global const int *restrict code,
                  __global const int *restrict step, const int z, const int y, const int x,
                  float *restrict tile) {
    intv nan = 0;
    for (int feature = 0; feature < COUNT; feature++)
        for (int j = 0; j < TALL; j++) {
            const floatv value = LOAD(ROW(code[INPUTS + feature], z, min(y + j, Y1 - 1)) + x);
            nan |= value != value;
            STORE(value, tile + (feature * TALL + j) * V);
        }
    return ANY(nan);
}
#endif

#define FOREST_ARGUMENTS                                                             \
    __global float *arena, __global const int *restrict code, const int first,       \
        const int n_trees, const int n_classes

#define SUMS step[3]
#define SUM_ROW(c, z, y) (ROW(OUT, z, y) + (size_t)(c) * SUMS)

// A work-item of a forest kernel: rows y .. y + TALL - 1.
#define STEP_AND_TALL_ROW                                                            \
    __global const int *restrict step = code + first;                                \
    const int y = Y0 + TALL * get_global_id(1), z = Z0 + get_global_id(2);           \
    if (y >= Y1 || z >= Z1) return;

// ---------------------------------------------------------------------------------------------
// Complete trees of one small depth, without branches: node i has children 2 i + 1 and 2 i + 2.
// nodes: (feature, bits of the threshold); leaves: (tree, class, leaf), one bit pattern each.

INLINE intv goes_left(TILE_ARGUMENTS, const int2 node, const int nan_left, const int nans,
                      const int j) {
    const floatv value = VALUE(node.x, j);
    const intv left = value <= as_float(node.y);
    return nans ? left | ((value != value) & nan_left) : left;
}

// Leaf `i` of class `c`, and the leaf that comparisons m0 .. m6 lead to. Written out, not looped
// over: what is indexed by a variable would not stay in registers.
#define LEAF(c, i) ((intv)leaves[(c) * (1 << depth) + (i)])
#define EITHER(m, a, b) ((m) ? (a) : (b))
#define REACHED_1(c) EITHER(m0, LEAF(c, 0), LEAF(c, 1))
#define REACHED_2(c)                                                                 \
    EITHER(m0, EITHER(m1, LEAF(c, 0), LEAF(c, 1)), EITHER(m2, LEAF(c, 2), LEAF(c, 3)))
#define REACHED_3(c)                                                                 \
    EITHER(m0,                                                                       \
           EITHER(m1, EITHER(m3, LEAF(c, 0), LEAF(c, 1)), EITHER(m4, LEAF(c, 2), LEAF(c, 3))), \
           EITHER(m2, EITHER(m5, LEAF(c, 4), LEAF(c, 5)), EITHER(m6, LEAF(c, 6), LEAF(c, 7))))
#define COMPARE(i, j) goes_left(TILE, nodes[i], nans ? nan_left[i] : 0, nans, j)

INLINE intv add_value(const intv sum, const intv value, const int exact) {
    return exact ? sum + value : AS_INTV(AS_FLOATV(sum) + AS_FLOATV(value));
}

INLINE void add_tree(TILE_ARGUMENTS, __global const int2 *restrict nodes,
                            __global const int *restrict nan_left,
                            __global const int *restrict leaves, const int depth,
                            const int classes, const int exact, const int nans, const int j,
                            intv *restrict first, intv *restrict second) {
    const intv m0 = COMPARE(0, j);
    if (depth == 1) {
        *first = add_value(*first, REACHED_1(0), exact);
        if (classes > 1) *second = add_value(*second, REACHED_1(1), exact);
        return;
    }
    const intv m1 = COMPARE(1, j), m2 = COMPARE(2, j);
    if (depth == 2) {
        *first = add_value(*first, REACHED_2(0), exact);
        if (classes > 1) *second = add_value(*second, REACHED_2(1), exact);
        return;
    }
    const intv m3 = COMPARE(3, j), m4 = COMPARE(4, j), m5 = COMPARE(5, j), m6 = COMPARE(6, j);
    *first = add_value(*first, REACHED_3(0), exact);
    if (classes > 1) *second = add_value(*second, REACHED_3(1), exact);
}

#if TALL == 8
#define FOR_TALL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#else
#define FOR_TALL(DO) DO(0)
#endif
#define PUT_SUMS(j)                                                                  \
    sums[j] = a##j;                                                                  \
    sums[TALL + (j)] = b##j;
#define ADD_TREE(j)                                                                  \
    add_tree(TILE, nodes, nan_left, leaves, depth, classes, exact, nans, j, &a##j, &b##j);

INLINE void add_complete(TILE_ARGUMENTS, __global const int2 *restrict nodes,
                         __global const int *restrict nan_left, __global const int *restrict leaves,
                         const int n_trees, const int n_classes, const int depth, const int classes,
                         const int exact, const int nans, intv *restrict sums) {
    intv a0 = 0, b0 = 0;
#if TALL == 8
    intv a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;
    intv b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0, b7 = 0;
#endif
    for (int tree = 0; tree < n_trees; tree++) {
        FOR_TALL(ADD_TREE)
        nodes += (1 << depth) - 1;
        nan_left += (1 << depth) - 1;
        leaves += n_classes << depth;
    }
    FOR_TALL(PUT_SUMS)
}

#define COMPLETE(depth_)                                                             \
    KERNEL JOIN(forest_complete_, depth_)(                                           \
        FOREST_ARGUMENTS, __global const int2 *restrict nodes,                       \
        __global const int *restrict nan_left, __global const int *restrict leaves,  \
        const int exact) {                                                           \
        STEP_AND_TALL_ROW                                                            \
        PRIVATE_TILE                                                                 \
        FOR_VECTORS(x) {                                                          \
            GATHER                                                                   \
            for (int c = 0; c < n_classes; c += 2) {                                 \
                intv sums[2 * TALL];                                                  \
                if (n_classes - c == 1)                                              \
                    COMPLETE_NANS(depth_, 1)                                         \
                else                                                                 \
                    COMPLETE_NANS(depth_, 2)                                         \
                for (int j = 0; j < TALL && y + j < Y1; j++)                         \
                    for (int k = 0; k < min(2, n_classes - c); k++)                  \
                        STORE(AS_FLOATV(sums[k * TALL + j]), SUM_ROW(c + k, z, y + j) + x); \
            }                                                                        \
        }                                                                            \
    }
#define COMPLETE_CALL(depth_, classes_, exact_, nans_)                               \
    add_complete(TILE, nodes, nan_left, leaves + (c << depth_), n_trees, n_classes, depth_, \
                 classes_, exact_, nans_, sums);
#define COMPLETE_EXACT(depth_, classes_, nans_)                                      \
    {                                                                                \
        if (exact)                                                                   \
            COMPLETE_CALL(depth_, classes_, 1, nans_)                                \
        else                                                                         \
            COMPLETE_CALL(depth_, classes_, 0, nans_)                                \
    }
#define COMPLETE_NANS(depth_, classes_)                                              \
    {                                                                                \
        if (nans)                                                                    \
            COMPLETE_EXACT(depth_, classes_, 1)                                      \
        else                                                                         \
            COMPLETE_EXACT(depth_, classes_, 0)                                      \
    }

#if V == 1
#define PRIVATE_TILE
#define GATHER                                                                       \
    const int nans = 1;
#else
#define PRIVATE_TILE float tile[MAX_COLUMNS * TALL * V];
#define GATHER const int nans = gather(arena, code, step, z, y, x, tile);
#endif

COMPLETE(1)
COMPLETE(2)
COMPLETE(3)

// ---------------------------------------------------------------------------------------------
// Trees of any shape: their inner nodes in preorder, so that a left child that is an inner node
// comes next. nodes: (feature, bits of the threshold, right child, all bits set where NaN goes
// left); ends: rows of `leaves` for the left and the right child, row 0, which is zero, for those
// that are inner nodes.

#define RIGHT_ENDS 0x40000000
#define NODE 0x3fffffff

#if V == 1

KERNEL forest_walk(FOREST_ARGUMENTS, __global const int4 *restrict nodes,
                   __global const int2 *restrict ends, __global const int *restrict roots,
                   __global const void *restrict leaves, __global const int *restrict turns,
                   const int exact) {
    STEP_AND_TALL_ROW
    FOR_VECTORS(x) {
        GATHER
        for (int c = 0; c < n_classes; c++) SUM_ROW(c, z, y)[x] = 0.0f;
        for (int tree = 0; tree < n_trees; tree++) {
            int at = roots[tree], row = 0;
            while (row == 0) {
                const int4 node = nodes[at];
                const float value = VALUE(node.x, 0);
                const int left = value <= as_float(node.y) || (value != value && node.w);
                row = left ? ends[at].x : ends[at].y;
                at = left ? at + 1 : node.z & NODE;
            }
            for (int c = 0; c < n_classes; c++) {
                __global float *out = SUM_ROW(c, z, y) + x;
                if (exact) {
                    const uint quanta = ((__global const uint *)leaves)[row * n_classes + c];
                    *out = as_float(as_uint(*out) + quanta);
                } else {
                    const real value = ((__global const real *)leaves)[row * n_classes + c];
                    *out = (float)((real)*out + value);
                }
            }
        }
    }
}

#else

// A set of pixels of a tile has one bit for each: rows 0 to 3 in one word, rows 4 to 7 in another.
#define ALL_BITS (4 * V == 64 ? ~0ul : (1ul << (4 * V % 64)) - 1)
#define BITS_OF(low, high, j) (((j) < 4 ? low : high) >> ((j) % 4 * V) & ((1u << V) - 1))

#if V == 16 && defined(__AVX512DQ__) && defined(__AVX512BW__) && !defined(PORTABLE)
#define TO_BITS(lanes) ((uint)(ushort)__builtin_ia32_cvtd2mask512(lanes))
#define WHERE(bits, a, b) __builtin_ia32_selectd_512((ushort)(bits), a, b)
#define FOUR_ROWS(a, b, c, d)                                                        \
    __builtin_ia32_kunpckdi(__builtin_ia32_kunpcksi(TO_BITS(d), TO_BITS(c)),         \
                            __builtin_ia32_kunpcksi(TO_BITS(b), TO_BITS(a)))
#else
#if V == 16
#define LANES (uint16)(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
#elif V == 8
#define LANES (uint8)(1, 2, 4, 8, 16, 32, 64, 128)
#elif V == 4
#define LANES (uint4)(1, 2, 4, 8)
#endif
#define WHERE(bits, a, b) ((((uintv)(uint)(bits) & LANES) != 0u) ? (a) : (b))
#define FOUR_ROWS(a, b, c, d)                                                        \
    (TO_BITS(a) | TO_BITS(b) << V | TO_BITS(c) << (2 * V) | TO_BITS(d) << (3 * V))
INLINE ulong TO_BITS(const intv lanes) {
#if V == 16 && defined(__AVX__) && !defined(PORTABLE)
    return (uint)__builtin_ia32_movmskps256(as_float8(lanes.lo)) |
           (uint)__builtin_ia32_movmskps256(as_float8(lanes.hi)) << 8;
#else
    const uintv set = AS_UINTV(lanes) & LANES;
#if V == 16
    const uint8 eight = set.lo | set.hi;
    const uint4 four = eight.lo | eight.hi;
#elif V == 8
    const uint4 four = set.lo | set.hi;
#else
    const uint4 four = set;
#endif
    const uint2 two = four.lo | four.hi;
    return two.x | two.y;
#endif
}
#endif

INLINE intv row_left(const float *restrict column, const int4 node, const int nans, const int j) {
    const floatv value = LOAD(column + j * V);
    const intv left = value <= as_float(node.y);
    return nans ? left | ((value != value) & node.w) : left;
}

#define LEFT_OF(j) row_left(column, node, nans, j)

// Exact sums have a short form. Let every pixel start with the value of the leftmost leaf of each
// tree. Then a turn to the right at a node adds one number (`turns`, modulo 2**32): the value of
// the leftmost leaf on the right less that on the left.
INLINE void add_turns(intv *restrict sums, const ulong low, const ulong high,
                      __global const int *restrict turns, const int at, const int n_classes) {
    for (int c = 0; c < n_classes; c++) {
        const intv turn = turns[(at + 1) * n_classes + c];
#define ADD_TURN(j)                                                                  \
    sums[c * TALL + (j)] =                                                           \
        WHERE(BITS_OF(low, high, j), sums[c * TALL + (j)] + turn, sums[c * TALL + (j)]);
        FOR_TALL(ADD_TURN)
    }
}

// Add one row of `leaves` to the classes of some pixels.
INLINE void add_leaf(intv *restrict sums, const ulong low, const ulong high,
                     __global const real *restrict leaf, const int n_classes) {
    for (int c = 0; c < n_classes; c++)
        for (int j = 0; j < TALL; j++) {
            const intv old = sums[c * TALL + j];
            const intv new = AS_INTV(FROM_REALV(TO_REALV(AS_FLOATV(old)) + leaf[c]));
            sums[c * TALL + j] = WHERE(BITS_OF(low, high, j), new, old);
        }
}

// A walker takes all pixels of a tile down a tree together: `low` and `high` are those that come
// to node `at`. A subtree that none of them needs is not entered. Where both children are needed
// the right one waits. There are no branches, for they could not be predicted.
#define WALKER(w)                                                                    \
    int waiting_node##w[MAX_WAITING];                                                \
    ulong waiting_low##w[MAX_WAITING], waiting_high##w[MAX_WAITING];                 \
    int at##w = 0, waiting##w = -1;                                                  \
    ulong low##w = 0, high##w = 0;
#define START(w, root)                                                               \
    at##w = root;                                                                    \
    waiting##w = 0;                                                                  \
    low##w = high##w = ALL_BITS;

#define STEP(w, ADD)                                                                 \
    {                                                                                \
        const int4 node = nodes[at##w];                                              \
        const float *column = tile + (size_t)(uint)node.x * (TALL * V);              \
        const ulong left_low =                                                       \
            FOUR_ROWS(LEFT_OF(0), LEFT_OF(1), LEFT_OF(2), LEFT_OF(3)) & low##w;      \
        const ulong left_high =                                                      \
            FOUR_ROWS(LEFT_OF(4), LEFT_OF(5), LEFT_OF(6), LEFT_OF(7)) & high##w;     \
        const ulong right_low = low##w & ~left_low, right_high = high##w & ~left_high; \
        ADD(at##w)                                                                   \
        const int on_left = (node.z >= 0) & ((left_low | left_high) != 0);           \
        const int on_right = !(node.z & RIGHT_ENDS) & ((right_low | right_high) != 0); \
        waiting_node##w[waiting##w] = node.z & NODE;                                 \
        waiting_low##w[waiting##w] = right_low;                                      \
        waiting_high##w[waiting##w] = right_high;                                    \
        waiting##w += on_right - !on_left;                                           \
        const int top = max(waiting##w, 0);                                          \
        ulong keep = -(ulong)on_left;                                                \
        OPAQUE(keep)                                                                 \
        at##w = PICK((int)keep, at##w + 1, waiting_node##w[top]);                    \
        low##w = PICK(keep, left_low, waiting_low##w[top]);                          \
        high##w = PICK(keep, left_high, waiting_high##w[top]);                       \
    }
// Hides from the compiler that a mask came from a comparison: it would put the branch back, and
// mispredicted branches took a third of the time.
#if defined(__x86_64__) && !defined(PORTABLE)
#define OPAQUE(mask) __asm__("" : "+r"(mask));
#else
#define OPAQUE(mask)
#endif
#define PICK(mask, a, b) (((a) & (mask)) | ((b) & ~(mask)))

#define ADD_TURNS(at) add_turns(sums, right_low, right_high, turns, at, n_classes);
#define ADD_LEAVES(at)                                                               \
    const int2 end = ends[at];                                                       \
    if (end.x) add_leaf(sums, left_low, left_high, leaves + end.x * n_classes, n_classes); \
    if (end.y) add_leaf(sums, right_low, right_high, leaves + end.y * n_classes, n_classes);

// Two walkers at once, each in a tree of its own: one waits for memory while the other works.
INLINE void walk_exact(const float *restrict tile, __global const int4 *restrict nodes,
                       __global const int *restrict roots, __global const int *restrict turns,
                       const int n_trees, const int n_classes, const int nans,
                       intv *restrict sums) {
    WALKER(0)
    WALKER(1)
    int tree = 0;
    for (;;) {
        if ((waiting0 | waiting1) < 0) {
            if (waiting0 < 0) {
                if (tree == n_trees && waiting1 < 0) break;
                START(0, roots[min(tree, n_trees - 1)])
                if (tree == n_trees) low0 = high0 = 0;
                tree = min(tree + 1, n_trees);
            }
            if (waiting1 < 0) {
                START(1, roots[min(tree, n_trees - 1)])
                if (tree == n_trees) low1 = high1 = 0;
                tree = min(tree + 1, n_trees);
            }
        }
        STEP(0, ADD_TURNS)
        STEP(1, ADD_TURNS)
    }
}

// float32 sums are added up in the order of the trees.
INLINE void walk_float(const float *restrict tile, __global const int4 *restrict nodes,
                       __global const int2 *restrict ends, __global const int *restrict roots,
                       __global const real *restrict leaves, const int n_trees,
                       const int n_classes, const int nans, intv *restrict sums) {
    WALKER(0)
    for (int tree = 0; tree < n_trees; tree++) {
        START(0, roots[tree])
        while (waiting0 >= 0) STEP(0, ADD_LEAVES)
    }
}

KERNEL forest_walk(FOREST_ARGUMENTS, __global const int4 *restrict nodes,
                   __global const int2 *restrict ends, __global const int *restrict roots,
                   __global const void *restrict leaves, __global const int *restrict turns,
                   const int exact) {
    STEP_AND_TALL_ROW
    PRIVATE_TILE
    FOR_VECTORS(x) {
        GATHER
        if (n_classes == 1 && exact && !nans) {
            intv sums[TALL];
#define CLEAR(j) sums[j] = turns[0];
            FOR_TALL(CLEAR)
            walk_exact(tile, nodes, roots, turns, n_trees, 1, 0, sums);
#define PUT_ROW(j) \
    if (y + (j) < Y1) STORE(AS_FLOATV(sums[j]), ROW(OUT, z, y + (j)) + x);
            FOR_TALL(PUT_ROW)
            continue;
        }
        intv sums[MAX_CLASSES * TALL];
        for (int i = 0; i < n_classes * TALL; i++) sums[i] = exact ? turns[i / TALL] : 0;
        if (exact && nans)
            walk_exact(tile, nodes, roots, turns, n_trees, n_classes, 1, sums);
        else if (exact)
            walk_exact(tile, nodes, roots, turns, n_trees, n_classes, 0, sums);
        else
            walk_float(tile, nodes, ends, roots, leaves, n_trees, n_classes, 1, sums);
        for (int j = 0; j < TALL && y + j < Y1; j++)
            for (int c = 0; c < n_classes; c++)
                STORE(AS_FLOATV(sums[c * TALL + j]), SUM_ROW(c, z, y + j) + x);
    }
}

#endif
