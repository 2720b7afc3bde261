// Forests as data. See planes.cl for the macros.
//
// Each kernel adds up, for every pixel and class, the leaves that the pixel reaches, and writes
// the sums (bits of uint or float) to planes OUT, OUT + 1, ... INPUTS lists the planes of the
// COUNT columns. `finish` turns sums into what was asked for.
//
// On CPU devices a work-item takes tiles of TALL rows by V columns, whose columns it copies to
// private memory first; a tile without any NaN (almost all) takes the comparisons without NaN.
// On GPUs (V == 1) a work-item is a pixel.

#ifdef HAVE_FP64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double real;
#if V == 1
typedef double realv;
#define TO_REALV convert_double
#else
typedef JOIN(double, V) realv;
#define TO_REALV JOIN(convert_double, V)
#endif
#else
typedef float real;
typedef floatv realv;
#define TO_REALV TO_FLOATV
#endif

#if V == 1
#define TALL 1
#define TILE_ARGUMENTS                                                               \
    __global const float *arena, __global const int *restrict code,                  \
        __global const int *restrict step, const size_t pixel
#define TILE arena, code, step, pixel
#define VALUE(feature, j) arena[(size_t)code[INPUTS + (feature)] * PLANE + pixel]
#else
#define TALL 4
#define TILE_ARGUMENTS const float *restrict tile
#define TILE tile
#define VALUE(feature, j) LOAD(tile + ((feature) * TALL + (j)) * V)

// Copy the columns of one tile; rows past the region repeat the last. Says whether any is NaN.
INLINE int gather(__global const float *arena, __global const int *restrict code,
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

#define ADD_TREE(j)                                                                  \
    add_tree(TILE, nodes, nan_left, leaves, depth, classes, exact, nans, j, &a##j, &b##j);

INLINE void add_complete(TILE_ARGUMENTS, __global const int2 *restrict nodes,
                                __global const int *restrict nan_left,
                                __global const int *restrict leaves, const int n_trees,
                                const int n_classes, const int depth, const int classes,
                                const int exact, const int nans, intv sums[2][TALL]) {
    intv a0 = 0, b0 = 0;
#if TALL == 4
    intv a1 = 0, a2 = 0, a3 = 0, b1 = 0, b2 = 0, b3 = 0;
#endif
    for (int tree = 0; tree < n_trees; tree++) {
        ADD_TREE(0)
#if TALL == 4
        ADD_TREE(1)
        ADD_TREE(2)
        ADD_TREE(3)
#endif
        nodes += (1 << depth) - 1;
        nan_left += (1 << depth) - 1;
        leaves += n_classes << depth;
    }
    sums[0][0] = a0;
    sums[1][0] = b0;
#if TALL == 4
    sums[0][1] = a1;
    sums[0][2] = a2;
    sums[0][3] = a3;
    sums[1][1] = b1;
    sums[1][2] = b2;
    sums[1][3] = b3;
#endif
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
                intv sums[2][TALL];                                                  \
                if (n_classes - c == 1)                                              \
                    COMPLETE_NANS(depth_, 1)                                         \
                else                                                                 \
                    COMPLETE_NANS(depth_, 2)                                         \
                for (int j = 0; j < TALL && y + j < Y1; j++)                         \
                    for (int k = 0; k < min(2, n_classes - c); k++)                  \
                        STORE(AS_FLOATV(sums[k][j]), ROW(OUT + c + k, z, y + j) + x); \
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
    const size_t pixel = ((size_t)z * NY + y) * PITCH + MARGIN + x;                  \
    const int nans = 1;
#else
#define PRIVATE_TILE float tile[MAX_COLUMNS * TALL * V];
#define GATHER const int nans = gather(arena, code, step, z, y, x, tile);
#endif

COMPLETE(1)
COMPLETE(2)
COMPLETE(3)

// ---------------------------------------------------------------------------------------------
// Trees of any shape in preorder. nodes: (feature or -1, bits of the threshold, right child or
// row of `leaves`, all bits set where NaN goes left).

INLINE void add_leaf(intv *sum, const intv here, __global const void *leaves, const int position,
                     const int exact) {
    if (exact) {
        const int quanta = ((__global const int *)leaves)[position];
        *sum += here ? (intv)quanta : (intv)0;
    } else {
        const real value = ((__global const real *)leaves)[position];
        const floatv old = AS_FLOATV(*sum);
        const floatv added = TO_FLOATV(TO_REALV(old) + value);
        *sum = here ? AS_INTV(added) : *sum;
    }
}

#if V == 1

KERNEL forest_walk(FOREST_ARGUMENTS, __global const int4 *restrict nodes,
                   __global const int *restrict roots, __global const void *restrict leaves,
                   const int exact) {
    STEP_AND_TALL_ROW
    FOR_VECTORS(x) {
        GATHER
        for (int c = 0; c < n_classes; c++) ROW(OUT + c, z, y)[x] = 0.0f;
        for (int tree = 0; tree < n_trees; tree++) {
            int at = roots[tree];
            int4 node = nodes[at];
            while (node.x >= 0) {
                const float value = VALUE(node.x, 0);
                const int left = value <= as_float(node.y) || (value != value && node.w);
                at = left ? at + 1 : node.z;
                node = nodes[at];
            }
            for (int c = 0; c < n_classes; c++) {
                __global float *out = ROW(OUT + c, z, y) + x;
                int sum = as_int(*out);
                add_leaf(&sum, 1, leaves, node.z * n_classes + c, exact);
                *out = as_float(sum);
            }
        }
    }
}

#else

// A set of pixels of a tile is a mask of TALL * V bits.
#if V == 16
#define LANES (uint16)(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
#elif V == 8
#define LANES (uint8)(1, 2, 4, 8, 16, 32, 64, 128)
#elif V == 4
#define LANES (uint4)(1, 2, 4, 8)
#endif

// One bit for each lane of a comparison.
INLINE ulong bits(const intv lanes) {
#if V == 16 && defined(__AVX512DQ__) && !defined(PORTABLE)
    return (ushort)__builtin_ia32_cvtd2mask512(lanes);
#elif V == 16 && defined(__AVX__) && !defined(PORTABLE)
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

INLINE ulong all_left(const float *restrict tile, const int4 node, const int nans) {
    ulong left = 0;
#pragma unroll
    for (int j = 0; j < TALL; j++) {
        const floatv value = VALUE(node.x, j);
        left |= bits(value <= as_float(node.y)) << (j * V);
        if (nans) left |= bits((value != value) & node.w) << (j * V);
    }
    return left;
}

INLINE void add_leaves(intv *restrict sums, const ulong mask, __global const void *leaves,
                       const int row, const int n_classes, const int exact) {
    intv here[TALL];
#pragma unroll
    for (int j = 0; j < TALL; j++)
        here[j] = ((uintv)(uint)(mask >> (j * V)) & LANES) != 0u;
    for (int c = 0; c < n_classes; c++)
#pragma unroll
        for (int j = 0; j < TALL; j++)
            add_leaf(sums + c * TALL + j, here[j], leaves, row * n_classes + c, exact);
}

// All pixels of a tile go down together; a subtree that none of them needs is not entered.
INLINE void walk(const float *restrict tile, __global const int4 *restrict nodes,
                 __global const int *restrict roots, __global const void *restrict leaves,
                 const int n_trees, const int n_classes, const int exact, const int nans,
                 intv *restrict sums) {
    int waiting_node[MAX_WAITING];
    ulong waiting_mask[MAX_WAITING];
    for (int tree = 0; tree < n_trees; tree++) {
        int at = roots[tree], waiting = 0;
        ulong mask = TALL * V == 64 ? ~0ul : (1ul << (TALL * V % 64)) - 1;
        for (;;) {
            int4 node = nodes[at];
            while (node.x >= 0) {
                const ulong left = all_left(tile, node, nans) & mask, right = mask & ~left;
                waiting_node[waiting] = node.z;
                waiting_mask[waiting] = right;
                waiting += left != 0 && right != 0;
                at = left != 0 ? at + 1 : node.z;
                mask = left != 0 ? left : right;
                node = nodes[at];
            }
            add_leaves(sums, mask, leaves, node.z, n_classes, exact);
            if (waiting == 0) break;
            waiting--;
            at = waiting_node[waiting];
            mask = waiting_mask[waiting];
        }
    }
}

KERNEL forest_walk(FOREST_ARGUMENTS, __global const int4 *restrict nodes,
                   __global const int *restrict roots, __global const void *restrict leaves,
                   const int exact) {
    STEP_AND_TALL_ROW
    PRIVATE_TILE
    intv sums[MAX_CLASSES * TALL];
    FOR_VECTORS(x) {
        GATHER
        for (int i = 0; i < n_classes * TALL; i++) sums[i] = 0;
        if (exact && nans)
            walk(tile, nodes, roots, leaves, n_trees, n_classes, 1, 1, sums);
        else if (exact)
            walk(tile, nodes, roots, leaves, n_trees, n_classes, 1, 0, sums);
        else
            walk(tile, nodes, roots, leaves, n_trees, n_classes, 0, 1, sums);
        for (int j = 0; j < TALL && y + j < Y1; j++)
            for (int c = 0; c < n_classes; c++)
                STORE(AS_FLOATV(sums[c * TALL + j]), ROW(OUT + c, z, y + j) + x);
    }
}

#endif
