// How planes lie in the arena, and how a work-item finds its part. Included before all others.
//
// A plane holds some rows of the block (a range of z and one of y), each of `pitch` floats; pixel 0
// of a row is `margin` floats behind its start. Steps that read neighbours along x read into the
// margins, which fill_margin makes valid. Rows outside the block are found by `position`.
//
// The host defines V (pixels in a vector), R (rows at once in passes along y and z) and GROUP (the
// attribute of kernels; on CPU devices a work-group is one item, which walks along its row).

#pragma OPENCL FP_CONTRACT OFF

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if V == 1
typedef float floatv;
typedef int intv;
typedef uint uintv;
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#define TO_FLOATV convert_float
#define AS_INTV as_int
#define AS_FLOATV as_float
#define AS_UINTV as_uint
#define ANY(m) (m)
#else
typedef JOIN(float, V) floatv;
typedef JOIN(int, V) intv;
typedef JOIN(uint, V) uintv;
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#define TO_FLOATV JOIN(convert_float, V)
#define AS_INTV JOIN(as_int, V)
#define AS_FLOATV JOIN(as_float, V)
#define AS_UINTV JOIN(as_uint, V)
#define ANY(m) any(m)
#endif

// float64 where the device has it.
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
#define TO_REALV
#endif
#define FROM_REALV TO_FLOATV

// The first ints of `code`.
#define PITCH code[0]
#define NX code[2]
#define NY code[3]
#define NZ code[4]
#define TABLE code[5]

// A step is 16 ints of `code`.
#define OUT step[0]
#define IN0 step[1]
#define IN1 step[2]
#define WEIGHTS step[3]
#define RADIUS step[4]
#define COUNT step[4]
#define INPUTS step[5]
#define X0 step[6]
#define X1 step[7]
#define Y0 step[8]
#define Y1 step[9]
#define Z0 step[10]
#define Z1 step[11]
#define REFLECT step[12]
#define KIND step[13]
#define DILATION step[14]
#define FINE_TAPS step[13]
#define END_TAPS step[14]
#define RADIUS_Y step[14]
#define RADIUS_Z step[15]

#define ARGUMENTS                                                                    \
    __global float *arena, __global const int *restrict code,                        \
        __global const float *restrict weights, const int first, const int others
#define KERNEL __kernel GROUP void
// Functions that take constants must be part of their callers, or the constants are lost.
#define INLINE static inline __attribute__((always_inline))

// One work-item in dimension 2 is one step and one position along the axis that is left over.
#define STEP_AND_OTHER                                                               \
    const int other_id = get_global_id(2) % others;                                  \
    __global const int *restrict step = code + first + 16 * (get_global_id(2) / others);

// Most kernels: dimension 1 is y, the axis left over is z, dimension 0 is shared out along x.
#define STEP_AND_ROW                                                                 \
    STEP_AND_OTHER                                                                   \
    const int y = Y0 + get_global_id(1), z = Z0 + other_id;                          \
    if (y >= Y1 || z >= Z1) return;

#define FOR_VECTORS(x)                                                               \
    for (int x = X0 + get_global_id(0) * V; x < X1; x += get_global_size(0) * V)

// Pixel 0 of a row of a plane. The table says where pixel (0, 0, 0) of each plane would be, held or
// not, and how many rows a slice has.
#define ROW(plane, z, y) row_of(arena, code, plane, z, y)
#define SLICE(plane) ((long)code[TABLE + 4 * (plane) + 2] * PITCH)
INLINE __global float *row_of(__global float *arena, __global const int *restrict code,
                              const int plane, const int z, const int y) {
    __global const int *restrict entry = code + TABLE + 4 * plane;
    const long origin = (long)entry[1] << 32 | (uint)entry[0];
    return arena + (origin + ((long)z * entry[2] + y) * PITCH);
}

// The row or pixel that stands for position i of an axis with n positions.
INLINE int position(int i, const int n, const int reflect) {
    if (i >= 0 && i < n) return i;
    if (!reflect) return clamp(i, 0, n - 1);
    i %= 2 * n;
    if (i < 0) i += 2 * n;
    return i < n ? i : 2 * n - 1 - i;
}

// Make the margins of a row continue it by RADIUS pixels on both sides.
KERNEL fill_margin(ARGUMENTS) {
    STEP_AND_ROW
    __global float *row = ROW(OUT, z, y);
    const int n = NX;
    for (int m = 1 + get_global_id(0); m <= RADIUS; m += get_global_size(0)) {
        row[-m] = row[position(-m, n, REFLECT)];
        row[n - 1 + m] = row[position(n - 1 + m, n, REFLECT)];
    }
}
