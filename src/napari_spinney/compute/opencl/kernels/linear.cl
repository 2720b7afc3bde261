// Correlation and extremum along one axis. See planes.cl for the macros.
//
// A sum starts at -0, which leaves the first product as it is, and takes its taps in rising order.

// `wide` vectors of one row, from x on.
static inline void correlate_chunk(__global const float *restrict in, __global float *restrict out,
                            __global const float *restrict w, const int taps, const int wide) {
    floatv sum[KX];
#pragma unroll
    for (int i = 0; i < wide; i++) sum[i] = -0.0f;
    for (int k = 0; k < taps; k++) {
        const floatv weight = w[k];
#pragma unroll
        for (int i = 0; i < wide; i++) sum[i] = fma(weight, LOAD(in + k + V * i), sum[i]);
    }
#pragma unroll
    for (int i = 0; i < wide; i++) STORE(sum[i], out + V * i);
}

KERNEL correlate_x(ARGUMENTS) {
    STEP_AND_ROW
    __global const float *in = ROW(IN0, z, y) - RADIUS;
    __global float *out = ROW(OUT, z, y);
    __global const float *w = weights + WEIGHTS;
    FOR_VECTORS(x, KX) {
        if (x + V * (KX - 1) < X1)
            correlate_chunk(in + x, out + x, w, 2 * RADIUS + 1, KX);
        else
            for (int v = x; v < X1; v += V)
                correlate_chunk(in + v, out + v, w, 2 * RADIUS + 1, 1);
    }
}

// R output rows at once: each row that is read serves as many of them as it can.
#define TAP(i, k)                                                                    \
    {                                                                                \
        const floatv weight = w[k];                                                  \
        _Pragma("unroll") for (int c = 0; c < wide; c++) sum[i][c] =                 \
            fma(weight, v[c], sum[i][c]);                                            \
    }
#define READ_ROW(j)                                                                  \
    floatv v[KY];                                                                    \
    {                                                                                \
        __global const float *p = in + (size_t)position(first_row + (j), n, reflect) * stride; \
        _Pragma("unroll") for (int c = 0; c < wide; c++) v[c] = LOAD(p + V * c);     \
    }

static inline void correlate_rows_chunk(__global const float *restrict in, __global float *restrict out,
                                 __global const float *restrict w, const int taps,
                                 const int first_row, const int n, const int reflect,
                                 const size_t stride, const int rows, const int wide) {
    floatv sum[R][KY];
#pragma unroll
    for (int i = 0; i < R; i++)
#pragma unroll
        for (int c = 0; c < wide; c++) sum[i][c] = -0.0f;
    if (taps >= R) {
#pragma unroll
        for (int j = 0; j < R - 1; j++) {
            READ_ROW(j)
#pragma unroll
            for (int i = 0; i <= j; i++) TAP(i, j - i)
        }
        for (int j = R - 1; j < taps; j++) {
            READ_ROW(j)
#pragma unroll
            for (int i = 0; i < R; i++) TAP(i, j - i)
        }
#pragma unroll
        for (int e = 0; e < R - 1; e++) {
            READ_ROW(taps + e)
#pragma unroll
            for (int i = e + 1; i < R; i++) TAP(i, taps + e - i)
        }
    } else {
#pragma unroll
        for (int i = 0; i < R; i++)
            for (int k = 0; k < taps; k++) {
                READ_ROW(i + k)
                TAP(i, k)
            }
    }
#pragma unroll
    for (int i = 0; i < R; i++)
        if (i < rows)
#pragma unroll
            for (int c = 0; c < wide; c++) STORE(sum[i][c], out + i * stride + V * c);
}

static inline void correlate_rows(__global float *arena, __global const int *restrict code,
                           __global const float *restrict weights,
                           __global const int *restrict step, const int z, const int y,
                           const int along, const int end, const int n, const size_t stride) {
    __global const float *in = ROW(IN0, z, y);
    __global float *out = ROW(OUT, z, y) + along * stride;
    __global const float *w = weights + WEIGHTS;
    const int taps = 2 * RADIUS + 1, start = along - RADIUS, rows = min(R, end - along);
    FOR_VECTORS(x, KY) {
        if (x + V * (KY - 1) < X1)
            correlate_rows_chunk(in + x, out + x, w, taps, start, n, REFLECT, stride, rows, KY);
        else
            for (int v = x; v < X1; v += V)
                correlate_rows_chunk(in + v, out + v, w, taps, start, n, REFLECT, stride, rows, 1);
    }
}

KERNEL correlate_y(ARGUMENTS) {
    STEP_AND_OTHER
    const int z = Z0 + other_id, along = Y0 + R * get_global_id(1);
    if (along < Y1 && z < Z1)
        correlate_rows(arena, code, weights, step, z, 0, along, Y1, NY, PITCH);
}

KERNEL correlate_z(ARGUMENTS) {
    STEP_AND_OTHER
    const int y = Y0 + other_id, along = Z0 + R * get_global_id(1);
    if (along < Z1 && y < Y1)
        correlate_rows(arena, code, weights, step, 0, y, along, Z1, NZ, (size_t)NY * PITCH);
}

// KIND 0: minimum, 1: maximum. A NaN stays until a comparison drops it, as on the CPU.
static inline floatv extreme(const floatv a, const floatv b, const int maximum) {
    return maximum ? (b > a ? b : a) : (b < a ? b : a);
}

KERNEL extremum_x(ARGUMENTS) {
    STEP_AND_ROW
    __global const float *in = ROW(IN0, z, y);
    __global float *out = ROW(OUT, z, y);
    FOR_VECTORS(x, 1) {
        floatv best = LOAD(in + x - RADIUS);
        for (int k = 1 - RADIUS; k <= RADIUS; k++) best = extreme(best, LOAD(in + x + k), KIND);
        STORE(best, out + x);
    }
}

static inline void extremum_rows(__global float *arena, __global const int *restrict code,
                          __global const int *restrict step, const int z, const int y,
                          const int along, const int n, const size_t stride) {
    __global const float *in = ROW(IN0, z, y);
    __global float *out = ROW(OUT, z, y) + along * stride;
    FOR_VECTORS(x, 1) {
        floatv best = LOAD(in + position(along - RADIUS, n, REFLECT) * stride + x);
        for (int k = 1 - RADIUS; k <= RADIUS; k++)
            best = extreme(best, LOAD(in + position(along + k, n, REFLECT) * stride + x), KIND);
        STORE(best, out + x);
    }
}

KERNEL extremum_y(ARGUMENTS) {
    STEP_AND_ROW
    extremum_rows(arena, code, step, z, 0, y, NY, PITCH);
}

KERNEL extremum_z(ARGUMENTS) {
    STEP_AND_ROW
    extremum_rows(arena, code, step, 0, y, z, NZ, (size_t)NY * PITCH);
}
