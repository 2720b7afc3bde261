// Steps that read a neighbourhood in all axes. See planes.cl for the macros.

// Row of the input at an offset, continued past the border.
#define NEAR_ROW(slot, dz, dy)                                                       \
    ROW(slot, position(z + (dz), NZ, REFLECT), position(y + (dy), NY, REFLECT))

// Sum of (centre - neighbour) over 8 neighbours, or 26 in 3D (COUNT is the number of axes).
KERNEL laplace_box(ARGUMENTS) {
    STEP_AND_ROW
    const int deep = COUNT == 3;
    FOR_VECTORS(x) {
        const floatv centre = LOAD(ROW(IN0, z, y) + x);
        floatv sum = 0.0f;
        for (int dz = -deep; dz <= deep; dz++)
            for (int dy = -1; dy <= 1; dy++) {
                __global const float *p = NEAR_ROW(IN0, dz, dy) + x;
                sum += centre - LOAD(p - 1);
                if (dz != 0 || dy != 0) sum += centre - LOAD(p);
                sum += centre - LOAD(p + 1);
            }
        STORE(sum, ROW(OUT, z, y) + x);
    }
}

// Sums with weights 1-2-1 and differences, of three vectors or of the vectors of three rows.
#define SMOOTH(a, b, c) ((a) + 2.0f * (b) + (c))
#define SMOOTH_X(p) SMOOTH(LOAD((p)-1), LOAD(p), LOAD((p) + 1))
#define ACROSS_X(p) (LOAD((p) + 1) - LOAD((p)-1))

INLINE floatv smooth_row(__global const float *p) { return SMOOTH_X(p); }

// Length of the unnormalised Sobel gradient (COUNT is the number of axes).
KERNEL sobel(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) {
        floatv smooth_y[3], across_y[3], across_x[3];
        const int deep = COUNT == 3;
#pragma unroll
        for (int k = 0; k < 3; k++) {
            if (k != 1 && !deep) continue;
            __global const float *a = NEAR_ROW(IN0, k - 1, -1) + x;
            __global const float *b = NEAR_ROW(IN0, k - 1, 0) + x;
            __global const float *c = NEAR_ROW(IN0, k - 1, 1) + x;
            const floatv before = smooth_row(a), after = smooth_row(c);
            smooth_y[k] = SMOOTH(before, smooth_row(b), after);
            across_y[k] = after - before;
            across_x[k] = SMOOTH(ACROSS_X(a), ACROSS_X(b), ACROSS_X(c));
        }
        floatv gx = across_x[1], gy = across_y[1], square;
        if (deep) {
            // The rows are smoothed along z before the difference along y is taken.
            gx = SMOOTH(across_x[0], across_x[1], across_x[2]);
            floatv rows[2];
#pragma unroll
            for (int k = 0; k < 2; k++)
                rows[k] = SMOOTH(smooth_row(NEAR_ROW(IN0, -1, 2 * k - 1) + x),
                                 smooth_row(NEAR_ROW(IN0, 0, 2 * k - 1) + x),
                                 smooth_row(NEAR_ROW(IN0, 1, 2 * k - 1) + x));
            const floatv gz = smooth_y[2] - smooth_y[0];
            gy = rows[1] - rows[0];
            square = fma(gz, gz, fma(gx, gx, gy * gy));
        } else {
            square = fma(gx, gx, gy * gy);
        }
        STORE(sqrt(square), ROW(OUT, z, y) + x);
    }
}

#define FOR_WINDOW(body)                                                             \
    for (int dz = -RADIUS_Z; dz <= RADIUS_Z; dz++)                                   \
        for (int dy = -RADIUS_Y; dy <= RADIUS_Y; dy++) {                             \
            __global const float *p = NEAR_ROW(IN0, dz, dy) + x;                     \
            for (int dx = -RADIUS; dx <= RADIUS; dx++) {                             \
                const floatv value = LOAD(p + dx);                                   \
                body                                                                 \
            }                                                                        \
        }
#define WINDOW_SIZE ((2 * RADIUS + 1) * (2 * RADIUS_Y + 1) * (2 * RADIUS_Z + 1))

// The second input is the mean of the window.
KERNEL standard_deviation(ARGUMENTS) {
    STEP_AND_ROW
    const float share = 1.0f / WINDOW_SIZE;
    FOR_VECTORS(x) {
        const floatv mean = LOAD(ROW(IN1, z, y) + x);
        floatv sum = 0.0f;
        FOR_WINDOW(const floatv difference = value - mean;
                   sum = fma(difference, difference, sum);)
        STORE(sqrt(sum * share), ROW(OUT, z, y) + x);
    }
}

// Integers that sort as the floats do, every NaN last; and the floats they came from.
INLINE intv to_key(const floatv value) {
    const intv bits = AS_INTV(value);
    return value != value ? (intv)0x7fffffff : bits ^ ((bits >> 31) & 0x7fffffff);
}
INLINE floatv from_key(const intv key) { return AS_FLOATV(key ^ ((key >> 31) & 0x7fffffff)); }

// Binary search for the bits of the middle value: no storage, any window.
KERNEL median(ARGUMENTS) {
    STEP_AND_ROW
    const int half_size = WINDOW_SIZE / 2;
    FOR_VECTORS(x) {
        intv found = (intv)(-2147483647 - 1);
        for (int bit = 31; bit >= 0; bit--) {
            // In the top bit the step leads from the lowest integer to 0.
            const intv trial = bit == 31 ? (intv)0 : found | (1 << bit);
            intv below = 0;
            FOR_WINDOW(below += to_key(value) < trial ? (intv)1 : (intv)0;)
            found = below <= half_size ? trial : found;
        }
        STORE(from_key(found), ROW(OUT, z, y) + x);
    }
}
