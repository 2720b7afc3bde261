// Correlation and extremum along one axis. See planes.cl for the macros.
//
// A sum starts at -0, which leaves the first product as it is, and takes its taps in rising order.

// Four vectors of one row side by side, from x on. Sums are named, not numbered, to be registers.
#define NEXT(sum, p) sum = fma(weight, LOAD(p), sum);

INLINE void correlate_wide(__global const float *restrict in, __global float *restrict out,
                                  __global const float *restrict w, const int taps) {
    floatv a = -0.0f, b = -0.0f, c = -0.0f, d = -0.0f;
    for (int k = 0; k < taps; k++, in++) {
        const floatv weight = w[k];
        NEXT(a, in) NEXT(b, in + V) NEXT(c, in + 2 * V) NEXT(d, in + 3 * V)
    }
    STORE(a, out);
    STORE(b, out + V);
    STORE(c, out + 2 * V);
    STORE(d, out + 3 * V);
}

INLINE void correlate_narrow(__global const float *restrict in, __global float *restrict out,
                                    __global const float *restrict w, const int taps) {
    floatv a = -0.0f;
    for (int k = 0; k < taps; k++, in++) {
        const floatv weight = w[k];
        NEXT(a, in)
    }
    STORE(a, out);
}

KERNEL correlate_x(ARGUMENTS) {
    STEP_AND_ROW
    __global const float *in = ROW(IN0, z, y) - RADIUS;
    __global float *out = ROW(OUT, z, y);
    __global const float *w = weights + WEIGHTS;
    const int taps = 2 * RADIUS + 1;
#if V == 1
    FOR_VECTORS(x) correlate_narrow(in + x, out + x, w, taps);
#else
    int x = X0;
    for (; x + 3 * V < X1; x += 4 * V) correlate_wide(in + x, out + x, w, taps);
    for (; x < X1; x += V) correlate_narrow(in + x, out + x, w, taps);
#endif
}

// R = 8 output rows at once: each row that is read serves as many of them as it can.
#define ROW_AT(j) LOAD(in + position(first_row + (j), n, reflect) * stride_in)
#define TAP(i, k) s##i = fma((floatv)w[k], v, s##i);
#define TAPS_8(k) TAP(0, k) TAP(1, (k) - 1) TAP(2, (k) - 2) TAP(3, (k) - 3) \
    TAP(4, (k) - 4) TAP(5, (k) - 5) TAP(6, (k) - 6) TAP(7, (k) - 7)

INLINE void correlate_8_rows(__global const float *restrict in, __global float *restrict out,
                                    __global const float *restrict w, const int taps,
                                    const int first_row, const int n, const int reflect,
                                    const long stride_in, const long stride_out, const int rows) {
    floatv s0 = -0.0f, s1 = -0.0f, s2 = -0.0f, s3 = -0.0f;
    floatv s4 = -0.0f, s5 = -0.0f, s6 = -0.0f, s7 = -0.0f;
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
    STORE(s0, out);
    if (rows > 1) STORE(s1, out + stride_out);
    if (rows > 2) STORE(s2, out + 2 * stride_out);
    if (rows > 3) STORE(s3, out + 3 * stride_out);
    if (rows > 4) STORE(s4, out + 4 * stride_out);
    if (rows > 5) STORE(s5, out + 5 * stride_out);
    if (rows > 6) STORE(s6, out + 6 * stride_out);
    if (rows > 7) STORE(s7, out + 7 * stride_out);
}

INLINE void correlate_1_row(__global const float *restrict in, __global float *restrict out,
                                   __global const float *restrict w, const int taps,
                                   const int first_row, const int n, const int reflect,
                                   const long stride_in) {
    floatv s0 = -0.0f;
    for (int k = 0; k < taps; k++) {
        const floatv v = ROW_AT(k);
        TAP(0, k)
    }
    STORE(s0, out);
}

// Rows from `along` on, of one slice (y) or of one row of all slices (z).
INLINE void correlate_rows(__global float *arena, __global const int *restrict code,
                           __global const float *restrict weights,
                           __global const int *restrict step, const int z, const int y,
                           const int along, const int end, const int n, const long stride_in,
                           const long stride_out) {
    __global const float *in = ROW(IN0, z, y);
    __global float *out = ROW(OUT, z, y) + along * stride_out;
    __global const float *w = weights + WEIGHTS;
    const int taps = 2 * RADIUS + 1, start = along - RADIUS, rows = min(R, end - along);
    FOR_VECTORS(x) {
        if (taps >= R)
            correlate_8_rows(in + x, out + x, w, taps, start, n, REFLECT, stride_in, stride_out,
                             rows);
        else
            for (int i = 0; i < rows; i++)
                correlate_1_row(in + x, out + x + i * stride_out, w, taps, start + i, n, REFLECT,
                                stride_in);
    }
}

KERNEL correlate_y(ARGUMENTS) {
    STEP_AND_OTHER
    const int z = Z0 + other_id, along = Y0 + R * get_global_id(1);
    if (along < Y1 && z < Z1)
        correlate_rows(arena, code, weights, step, z, 0, along, Y1, NY, PITCH, PITCH);
}

KERNEL correlate_z(ARGUMENTS) {
    STEP_AND_OTHER
    const int y = Y0 + other_id, along = Z0 + R * get_global_id(1);
    if (along < Z1 && y < Y1)
        correlate_rows(arena, code, weights, step, 0, y, along, Z1, NZ, SLICE(IN0), SLICE(OUT));
}

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
