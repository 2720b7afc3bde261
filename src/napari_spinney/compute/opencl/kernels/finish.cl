// From sums of leaves to classes, probabilities or uncertainty. See planes.cl and forest.cl.
//
// Sums lie in planes IN0, IN0 + 1, ...; for `exact` sums (uint) the probability is sum * factor,
// for float32 sums it is sum / (sum over the classes). Where KIND is 1, the sums of the last
// class are what is missing to `total` and its plane is not read.

INLINE uint exact_sum(__global const float *arena, __global const int *restrict code,
                      __global const int *restrict step, const size_t pixel, const int n_classes,
                      const uint total, const int c) {
    if (!KIND || c < n_classes - 1) return as_uint(arena[(size_t)(IN0 + c) * PLANE + pixel]);
    uint rest = total;
    for (int k = 0; k < c; k++) rest -= as_uint(arena[(size_t)(IN0 + k) * PLANE + pixel]);
    return rest;
}

#define FINISH_ARGUMENTS                                                             \
    __global float *arena, __global const int *restrict code, const int first,       \
        const int n_classes, const int exact, const uint total, const real factor
#define FINISH_CALL arena, code, step, pixel, n_classes, exact, total, factor
#define PIXEL (((size_t)z * NY + y) * PITCH + MARGIN + x)
#define STEP_ROW_AND_PIXELS                                                          \
    __global const int *restrict step = code + first;                                \
    const int y = Y0 + get_global_id(1), z = Z0 + get_global_id(2);                  \
    if (y >= Y1 || z >= Z1) return;                                                  \
    const size_t row = ((size_t)(z - Z0) * (Y1 - Y0) + (y - Y0)) * (X1 - X0);        \
    const size_t volume = (size_t)(Z1 - Z0) * (Y1 - Y0) * (X1 - X0);                 \
    for (int x = X0 + get_global_id(0); x < X1; x += get_global_size(0))

INLINE float probability(__global const float *arena, __global const int *restrict code,
                         __global const int *restrict step, const size_t pixel,
                         const int n_classes, const int exact, const uint total,
                         const real factor, const int c) {
    if (exact)
        return (float)((real)exact_sum(arena, code, step, pixel, n_classes, total, c) * factor);
    float whole = 0.0f;
    for (int k = 0; k < n_classes; k++) whole += arena[(size_t)(IN0 + k) * PLANE + pixel];
    return whole > 0.0f ? arena[(size_t)(IN0 + c) * PLANE + pixel] / whole : 0.0f;
}

// Class with the largest sum; the lowest of equals.
INLINE int best_class(__global const float *arena, __global const int *restrict code,
                      __global const int *restrict step, const size_t pixel, const int n_classes,
                      const int exact, const uint total) {
    int best = 0;
    if (exact) {
        uint most = exact_sum(arena, code, step, pixel, n_classes, total, 0);
        for (int c = 1; c < n_classes; c++) {
            const uint sum = exact_sum(arena, code, step, pixel, n_classes, total, c);
            best = sum > most ? c : best;
            most = max(sum, most);
        }
    } else {
        float most = arena[(size_t)IN0 * PLANE + pixel];
        for (int c = 1; c < n_classes; c++) {
            const float sum = arena[(size_t)(IN0 + c) * PLANE + pixel];
            best = sum > most ? c : best;
            most = sum > most ? sum : most;
        }
    }
    return best;
}

#define CLASSES(type)                                                                \
    KERNEL JOIN(finish_classes_, type)(FINISH_ARGUMENTS, __global const type *restrict labels, \
                                       __global type *restrict out) {                \
        STEP_ROW_AND_PIXELS                                                          \
        out[row + x - X0] = labels[best_class(arena, code, step, PIXEL, n_classes, exact, total)]; \
    }
CLASSES(uchar)
CLASSES(ushort)
CLASSES(uint)
CLASSES(ulong)

KERNEL finish_probabilities(FINISH_ARGUMENTS, __global float *restrict out) {
    STEP_ROW_AND_PIXELS {
        const size_t pixel = PIXEL;
        for (int c = 0; c < n_classes; c++)
            out[c * volume + row + x - X0] = probability(FINISH_CALL, c);
    }
}

// Probabilities as planes OUT, OUT + 1, ...: the sources of the next stage.
KERNEL finish_planes(FINISH_ARGUMENTS) {
    STEP_ROW_AND_PIXELS {
        const size_t pixel = PIXEL;
        for (int c = 0; c < n_classes; c++)
            arena[(size_t)(OUT + c) * PLANE + pixel] = probability(FINISH_CALL, c);
    }
}

KERNEL finish_uncertainty(FINISH_ARGUMENTS, __global float *restrict out) {
    STEP_ROW_AND_PIXELS {
        const size_t pixel = PIXEL;
        const int best = best_class(arena, code, step, pixel, n_classes, exact, total);
        real second = 0;
        for (int c = 0; c < n_classes; c++)
            if (c != best) second = fmax(second, (real)probability(FINISH_CALL, c));
        out[row + x - X0] =
            (float)((real)1 - ((real)probability(FINISH_CALL, best) - second));
    }
}
