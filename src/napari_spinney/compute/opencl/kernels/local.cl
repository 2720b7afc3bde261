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

// Length of the Sobel gradient: differences of neighbours, 1-2-1 along the other axes.
KERNEL sobel(ARGUMENTS) {
    STEP_AND_ROW
    const int deep = COUNT == 3;
    FOR_VECTORS(x) {
        floatv gx = 0.0f, gy = 0.0f, gz = 0.0f;
        for (int dz = -deep; dz <= deep; dz++)
            for (int dy = -1; dy <= 1; dy++) {
                __global const float *p = NEAR_ROW(IN0, dz, dy) + x;
                const floatv before = LOAD(p - 1), here = LOAD(p), after = LOAD(p + 1);
                const floatv smooth = before + 2.0f * here + after;
                const float along_y = dy == 0 ? 2.0f : 1.0f;
                const float along_z = deep && dz == 0 ? 2.0f : 1.0f;
                gx += along_z * along_y * (after - before);
                gy += along_z * (float)dy * smooth;
                gz += along_y * (float)dz * smooth;
            }
        const floatv square = fma(gx, gx, gy * gy);
        STORE(sqrt(deep ? fma(gz, gz, square) : square), ROW(OUT, z, y) + x);
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

// Floats as integers of the same order; the map is its own inverse. NaN comes last.
INLINE intv ordered(const intv bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

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
            FOR_WINDOW(below += ordered(AS_INTV(value)) < trial ? (intv)1 : (intv)0;)
            found = below <= half_size ? trial : found;
        }
        STORE(AS_FLOATV(ordered(found)), ROW(OUT, z, y) + x);
    }
}
