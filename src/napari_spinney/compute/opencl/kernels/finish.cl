// From sums of leaves to classes, probabilities or uncertainty. See planes.cl and forest.cl.
//
// Sums lie in planes that are SUMS floats apart, of which IN0 is the first; for `exact` sums (uint) the probability is sum * factor,
// for float32 sums it is sum / (sum over the classes). Where KIND is 1, the sums of the last
// class are what is missing to `total` and there is no plane of it.

INLINE uint exact_sum(__global const float *sums, const long stride, const int last_follows,
                      const int n_classes, const uint total, const int c) {
    if (!last_follows || c < n_classes - 1) return as_uint(sums[c * stride]);
    uint rest = total;
    for (int k = 0; k < c; k++) rest -= as_uint(sums[k * stride]);
    return rest;
}

#define FINISH_ARGUMENTS                                                             \
    __global float *arena, __global const int *restrict code, const int first,       \
        const int n_classes, const int exact, const uint total, const real factor
#define SUMS_ARGUMENTS                                                               \
    __global const float *sums, const long stride, const int last_follows,           \
        const int n_classes, const int exact, const uint total, const real factor
#define SUMS_CALL sums + x, stride, last_follows, n_classes, exact, total, factor
#define STEP_ROW                                                                     \
    __global const int *restrict step = code + first;                                \
    const int y = Y0 + get_global_id(1), z = Z0 + get_global_id(2);                  \
    if (y >= Y1 || z >= Z1) return;                                                  \
    const size_t row = ((size_t)(z - Z0) * (Y1 - Y0) + (y - Y0)) * (X1 - X0);        \
    const long stride = SUMS;                                                        \
    const int last_follows = KIND;                                                   \
    __global const float *sums = ROW(IN0, z, y);
#define FOR_PIXELS for (int x = X0 + get_global_id(0); x < X1; x += get_global_size(0))

INLINE float probability(SUMS_ARGUMENTS, const int c) {
    if (exact)
        return (float)((real)exact_sum(sums, stride, last_follows, n_classes, total, c) * factor);
    float whole = 0.0f;
    for (int k = 0; k < n_classes; k++) whole += sums[k * stride];
    return whole > 0.0f ? sums[c * stride] / whole : 0.0f;
}

// Class with the largest sum; the lowest of equals.
INLINE int best_class(SUMS_ARGUMENTS) {
    int best = 0;
    if (exact) {
        uint most = exact_sum(sums, stride, last_follows, n_classes, total, 0);
        for (int c = 1; c < n_classes; c++) {
            const uint sum = exact_sum(sums, stride, last_follows, n_classes, total, c);
            best = sum > most ? c : best;
            most = max(sum, most);
        }
    } else {
        float most = sums[0];
        for (int c = 1; c < n_classes; c++) {
            const float sum = sums[c * stride];
            best = sum > most ? c : best;
            most = sum > most ? sum : most;
        }
    }
    return best;
}

#define CLASSES(type)                                                                \
    KERNEL JOIN(finish_classes_, type)(FINISH_ARGUMENTS, __global const type *restrict labels, \
                                       __global type *restrict out) {                \
        STEP_ROW                                                                     \
        FOR_PIXELS out[row + x - X0] = labels[best_class(SUMS_CALL)];                \
    }
CLASSES(uchar)
CLASSES(ushort)
CLASSES(uint)
CLASSES(ulong)

KERNEL finish_probabilities(FINISH_ARGUMENTS, __global float *restrict out) {
    STEP_ROW
    const size_t volume = (size_t)(Z1 - Z0) * (Y1 - Y0) * (X1 - X0);
    for (int c = 0; c < n_classes; c++)
        FOR_PIXELS out[c * volume + row + x - X0] = probability(SUMS_CALL, c);
}

// Probabilities as planes (INPUTS lists them): the sources of the next stage.
KERNEL finish_planes(FINISH_ARGUMENTS) {
    STEP_ROW
    for (int c = 0; c < n_classes; c++) {
        __global float *out = ROW(code[INPUTS + c], z, y);
        FOR_PIXELS out[x] = probability(SUMS_CALL, c);
    }
}

KERNEL finish_uncertainty(FINISH_ARGUMENTS, __global float *restrict out) {
    STEP_ROW
    FOR_PIXELS {
        const int best = best_class(SUMS_CALL);
        real second = 0;
        for (int c = 0; c < n_classes; c++)
            if (c != best) second = fmax(second, (real)probability(SUMS_CALL, c));
        out[row + x - X0] = (float)((real)1 - ((real)probability(SUMS_CALL, best) - second));
    }
}
