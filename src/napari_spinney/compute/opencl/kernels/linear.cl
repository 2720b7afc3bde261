// Correlation and extremum along one axis. See planes.cl for the macros.
//
// A sum starts at -0, which leaves the first product as it is, and takes its taps in rising order.
// Sums are named, not numbered: what is indexed by a variable would not stay in registers.

// ---------------------------------------------------------------------------------------------
// Along x. Taps are `dilation` pixels apart.

#define NEXT(sum, p) sum = fma(weight, LOAD(p), sum);

typedef struct {
    floatv a, b, c, d;
} Four;

INLINE Four add_to_four(Four sum, __global const float *restrict in,
                        __global const float *restrict w, const int taps, const int dilation) {
    for (int k = 0; k < taps; k++, in += dilation) {
        const floatv weight = w[k];
        NEXT(sum.a, in) NEXT(sum.b, in + V) NEXT(sum.c, in + 2 * V) NEXT(sum.d, in + 3 * V)
    }
    return sum;
}

INLINE void store_four(const Four sum, __global float *out) {
    STORE(sum.a, out);
    STORE(sum.b, out + V);
    STORE(sum.c, out + 2 * V);
    STORE(sum.d, out + 3 * V);
}

INLINE floatv add_to_one(floatv sum, __global const float *restrict in,
                         __global const float *restrict w, const int taps, const int dilation) {
    for (int k = 0; k < taps; k++, in += dilation) {
        const floatv weight = w[k];
        NEXT(sum, in)
    }
    return sum;
}

#define NOTHING -0.0f
#define FOUR_TIMES_NOTHING {NOTHING, NOTHING, NOTHING, NOTHING}

// Four vectors at a time as long as there are so many, then one at a time; on GPUs one pixel.
#if V == 1
#define ALONG_ROW(four, one) FOR_VECTORS(x) one
#else
#define ALONG_ROW(four, one)                                                         \
    int x = X0;                                                                      \
    for (; x + 3 * V < X1; x += 4 * V) four                                          \
    for (; x < X1; x += V) one
#endif

KERNEL correlate_x(ARGUMENTS) {
    STEP_AND_ROW
    __global const float *in = ROW(IN0, z, y) - RADIUS;
    __global float *out = ROW(OUT, z, y);
    __global const float *w = weights + WEIGHTS;
    const int dilation = DILATION, taps = 2 * RADIUS / dilation + 1;
    ALONG_ROW(
        {
            const Four sum = FOUR_TIMES_NOTHING;
            store_four(add_to_four(sum, in + x, w, taps, dilation), out + x);
        },
        { STORE(add_to_one(NOTHING, in + x, w, taps, dilation), out + x); })
}

// A fine pass over the coarse plane, then END_TAPS taps on the source at either end of its reach.
KERNEL refine_x(ARGUMENTS) {
    STEP_AND_ROW
    const int fine = FINE_TAPS, end = END_TAPS;
    __global const float *coarse = ROW(IN0, z, y) - fine / 2;
    __global const float *left = ROW(IN1, z, y) - RADIUS, *right = left + 2 * RADIUS + 1 - end;
    __global float *out = ROW(OUT, z, y);
    __global const float *w = weights + WEIGHTS;
    ALONG_ROW(
        {
            Four sum = FOUR_TIMES_NOTHING;
            sum = add_to_four(sum, coarse + x, w, fine, 1);
            sum = add_to_four(sum, left + x, w + fine, end, 1);
            store_four(add_to_four(sum, right + x, w + fine + end, end, 1), out + x);
        },
        {
            floatv sum = add_to_one(NOTHING, coarse + x, w, fine, 1);
            sum = add_to_one(sum, left + x, w + fine, end, 1);
            STORE(add_to_one(sum, right + x, w + fine + end, end, 1), out + x);
        })
}

// ---------------------------------------------------------------------------------------------
// Along y and z: R = 8 output rows at once, so that each row that is read serves as many of them
// as it can. They are `apart` rows from one another, as the taps are.

typedef struct {
    floatv s0, s1, s2, s3, s4, s5, s6, s7;
} Eight;

// Rows of the input: `mapped` ones are continued past the border, others are all there. Output rows
// that are not wanted read the last row over again: the plane may end there.
#define ROW_AT(j) LOAD(in + row_at(first + min(j, last) * apart, mapped, n, reflect) * stride)
#define TAP(i, k) s.s##i = fma((floatv)w[k], v, s.s##i);
#define TAPS_8(k) TAP(0, k) TAP(1, (k) - 1) TAP(2, (k) - 2) TAP(3, (k) - 3) \
    TAP(4, (k) - 4) TAP(5, (k) - 5) TAP(6, (k) - 6) TAP(7, (k) - 7)
#define FEW_TAPS(i)                                                                  \
    for (int k = 0; k < taps; k++) {                                                 \
        const floatv v = ROW_AT(i + k);                                              \
        TAP(i, k)                                                                    \
    }

INLINE int row_at(const int i, const int mapped, const int n, const int reflect) {
    return mapped ? position(i, n, reflect) : i;
}

INLINE Eight add_to_eight(Eight s, __global const float *restrict in,
                          __global const float *restrict w, const int taps, const int first,
                          const int apart, const int rows, const int mapped, const int n,
                          const int reflect, const long stride) {
    const int last = taps + rows - 2;
    if (taps < R) {
        FEW_TAPS(0) FEW_TAPS(1) FEW_TAPS(2) FEW_TAPS(3)
        FEW_TAPS(4) FEW_TAPS(5) FEW_TAPS(6) FEW_TAPS(7)
        return s;
    }
    for (int j = 0; j < 7; j++) {
        const floatv v = ROW_AT(j);
        TAP(0, j)
        if (j > 0) TAP(1, j - 1)
        if (j > 1) TAP(2, j - 2)
        if (j > 2) TAP(3, j - 3)
        if (j > 3) TAP(4, j - 4)
        if (j > 4) TAP(5, j - 5)
        if (j > 5) TAP(6, j - 6)
    }
    for (int j = 7; j < taps; j++) {
        const floatv v = ROW_AT(j);
        TAPS_8(j)
    }
    for (int e = 0; e < 7; e++) {
        const floatv v = ROW_AT(taps + e);
        const int k = taps + e;
        if (e < 1) TAP(1, k - 1)
        if (e < 2) TAP(2, k - 2)
        if (e < 3) TAP(3, k - 3)
        if (e < 4) TAP(4, k - 4)
        if (e < 5) TAP(5, k - 5)
        if (e < 6) TAP(6, k - 6)
        TAP(7, k - 7)
    }
    return s;
}

INLINE void store_eight(const Eight s, __global float *out, const int rows, const long stride) {
    STORE(s.s0, out);
    if (rows > 1) STORE(s.s1, out + stride);
    if (rows > 2) STORE(s.s2, out + 2 * stride);
    if (rows > 3) STORE(s.s3, out + 3 * stride);
    if (rows > 4) STORE(s.s4, out + 4 * stride);
    if (rows > 5) STORE(s.s5, out + 5 * stride);
    if (rows > 6) STORE(s.s6, out + 6 * stride);
    if (rows > 7) STORE(s.s7, out + 7 * stride);
}

#define EIGHT_TIMES_NOTHING                                                          \
    {NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING}

// One work-item: rows `row`, row + apart, ... of one slice (y) or of one row of all slices (z).
INLINE void correlate_rows(__global float *arena, __global const int *restrict code,
                           __global const float *restrict weights,
                           __global const int *restrict step, const int z, const int y,
                           const int start, const int end, const int n, const long stride,
                           const long stride_out) {
    const int dilation = DILATION, taps = 2 * RADIUS / dilation + 1;
    const int group = get_global_id(1);
    const int row = start + group / dilation * (R * dilation) + group % dilation;
    if (row >= end) return;
    const int rows = min(R, (end - row + dilation - 1) / dilation);
    __global const float *in = ROW(IN0, z, y);
    __global float *out = ROW(OUT, z, y) + row * stride_out;
    FOR_VECTORS(x) {
        Eight sum = EIGHT_TIMES_NOTHING;
        sum = add_to_eight(sum, in + x, weights + WEIGHTS, taps, row - RADIUS, dilation, rows, 1,
                           n, REFLECT, stride);
        store_eight(sum, out + x, rows, dilation * stride_out);
    }
}

KERNEL correlate_y(ARGUMENTS) {
    STEP_AND_OTHER
    const int z = Z0 + other_id;
    if (z < Z1) correlate_rows(arena, code, weights, step, z, 0, Y0, Y1, NY, PITCH, PITCH);
}

KERNEL correlate_z(ARGUMENTS) {
    STEP_AND_OTHER
    const int y = Y0 + other_id;
    if (y < Y1)
        correlate_rows(arena, code, weights, step, 0, y, Z0, Z1, NZ, SLICE(IN0), SLICE(OUT));
}

// As refine_x. The coarse plane holds also those rows past the border that are read.
INLINE void refine_rows(__global float *arena, __global const int *restrict code,
                        __global const float *restrict weights,
                        __global const int *restrict step, const int z, const int y,
                        const int row, const int end_row, const int n, const long stride_coarse,
                        const long stride, const long stride_out) {
    const int fine = FINE_TAPS, end = END_TAPS, rows = min(R, end_row - row);
    __global const float *coarse = ROW(IN0, z, y), *in = ROW(IN1, z, y);
    __global float *out = ROW(OUT, z, y) + row * stride_out;
    __global const float *w = weights + WEIGHTS;
    FOR_VECTORS(x) {
        Eight sum = EIGHT_TIMES_NOTHING;
        sum = add_to_eight(sum, coarse + x, w, fine, row - fine / 2, 1, rows, 0, n, 0,
                           stride_coarse);
        sum = add_to_eight(sum, in + x, w + fine, end, row - RADIUS, 1, rows, 1, n, REFLECT,
                           stride);
        sum = add_to_eight(sum, in + x, w + fine + end, end, row + RADIUS + 1 - end, 1, rows, 1,
                           n, REFLECT, stride);
        store_eight(sum, out + x, rows, stride_out);
    }
}

KERNEL refine_y(ARGUMENTS) {
    STEP_AND_OTHER
    const int z = Z0 + other_id, row = Y0 + R * get_global_id(1);
    if (row < Y1 && z < Z1)
        refine_rows(arena, code, weights, step, z, 0, row, Y1, NY, PITCH, PITCH, PITCH);
}

KERNEL refine_z(ARGUMENTS) {
    STEP_AND_OTHER
    const int y = Y0 + other_id, row = Z0 + R * get_global_id(1);
    if (row < Z1 && y < Y1)
        refine_rows(arena, code, weights, step, 0, y, row, Z1, NZ, SLICE(IN0), SLICE(IN1),
                    SLICE(OUT));
}

// ---------------------------------------------------------------------------------------------

// KIND 0: minimum, 1: maximum. NaN where any of the pixels is.
INLINE floatv extreme(const floatv best, const floatv next, const int maximum) {
    const intv better = maximum ? next > best : next < best;
    return ((next != next) | better) ? next : best;
}

KERNEL extremum_x(ARGUMENTS) {
    STEP_AND_ROW
    __global const float *in = ROW(IN0, z, y);
    __global float *out = ROW(OUT, z, y);
    FOR_VECTORS(x) {
        floatv best = LOAD(in + x - RADIUS);
        for (int k = 1 - RADIUS; k <= RADIUS; k++) best = extreme(best, LOAD(in + x + k), KIND);
        STORE(best, out + x);
    }
}

INLINE void extremum_rows(__global float *arena, __global const int *restrict code,
                          __global const int *restrict step, __global float *out, const int z,
                          const int y, const int along, const int n, const long stride) {
    __global const float *in = ROW(IN0, z, y);
    FOR_VECTORS(x) {
        floatv best = LOAD(in + position(along - RADIUS, n, REFLECT) * stride + x);
        for (int k = 1 - RADIUS; k <= RADIUS; k++)
            best = extreme(best, LOAD(in + position(along + k, n, REFLECT) * stride + x), KIND);
        STORE(best, out + x);
    }
}

KERNEL extremum_y(ARGUMENTS) {
    STEP_AND_ROW
    extremum_rows(arena, code, step, ROW(OUT, z, y), z, 0, y, NY, PITCH);
}

KERNEL extremum_z(ARGUMENTS) {
    STEP_AND_ROW
    extremum_rows(arena, code, step, ROW(OUT, z, y), 0, y, z, NZ, SLICE(IN0));
}
