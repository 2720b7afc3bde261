// Steps that read one pixel of each input. See planes.cl for the macros.

#define INPUT(i) LOAD(ROW(code[INPUTS + (i)], z, y) + x)

KERNEL combine(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) {
        floatv sum = -0.0f;
        for (int i = 0; i < COUNT; i++) sum = fma((floatv)weights[WEIGHTS + i], INPUT(i), sum);
        STORE(sum, ROW(OUT, z, y) + x);
    }
}

KERNEL product(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) STORE(INPUT(0) * INPUT(1), ROW(OUT, z, y) + x);
}

KERNEL magnitude(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) {
        floatv sum = 0.0f;
        for (int i = 0; i < COUNT; i++) sum = fma(INPUT(i), INPUT(i), sum);
        STORE(sqrt(sum), ROW(OUT, z, y) + x);
    }
}

// Eigenvalues of a symmetric matrix. One step writes all those that are wanted of one matrix,
// the largest first: to planes VALUE_SLOT(0), ...; a slot that is negative is not wanted.
#define VALUE_SLOT(rank) step[(rank) == 0 ? 0 : 12 + (rank)]
#define PUT_VALUE(rank, value)                                                       \
    if (VALUE_SLOT(rank) >= 0) STORE(value, ROW(VALUE_SLOT(rank), z, y) + x);

// 2 x 2 (yy, yx, xx): mean of the diagonal plus or minus the root.
KERNEL eigenvalue_2(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) {
        const floatv yy = INPUT(0), yx = INPUT(1), xx = INPUT(2);
        const floatv mean = 0.5f * (yy + xx), difference = 0.5f * (yy - xx);
        const floatv root = sqrt(fma(difference, difference, yx * yx));
        PUT_VALUE(0, mean + root)
        PUT_VALUE(1, mean - root)
    }
}

// 3 x 3 (zz, zy, zx, yy, yx, xx), in float64 where the device has it: O. K. Smith, "Eigenvalues of
// a symmetric 3 x 3 matrix", Comm. ACM 4 (1961). The functions are polynomials, so that all
// devices agree. arccos(x) = sqrt(1 - x) * polynomial for 0 <= x <= 1: Abramowitz & Stegun 4.4.46.
INLINE realv polynomial(const realv x, const real a, const real b, const real c, const real d,
                        const real e, const real f, const real g, const real h) {
    realv value = h;
    value = fma(value, x, (realv)g);
    value = fma(value, x, (realv)f);
    value = fma(value, x, (realv)e);
    value = fma(value, x, (realv)d);
    value = fma(value, x, (realv)c);
    value = fma(value, x, (realv)b);
    return fma(value, x, (realv)a);
}

INLINE realv arc_cosine(const realv x) {
    const realv size = fabs(x);
    const realv angle =
        sqrt((real)1 - size) *
        polynomial(size, (real)1.5707963050, (real)-0.2145988016, (real)0.0889789874,
                   (real)-0.0501743046, (real)0.0308918810, (real)-0.0170881256,
                   (real)0.0066700901, (real)-0.0012624911);
    return x < (real)0 ? (real)3.141592653589793 - angle : angle;
}

KERNEL eigenvalue_3(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) {
        const realv zz = TO_REALV(INPUT(0)), zy = TO_REALV(INPUT(1)), zx = TO_REALV(INPUT(2));
        const realv yy = TO_REALV(INPUT(3)), yx = TO_REALV(INPUT(4)), xx = TO_REALV(INPUT(5));
        const realv mean = (real)(1.0 / 3.0) * (zz + yy + xx);
        const realv a = zz - mean, b = yy - mean, c = xx - mean;
        const realv outside = zy * zy + zx * zx + yx * yx;
        const realv squares = a * a + b * b + c * c;
        const realv scale = sqrt((real)(1.0 / 6.0) * (squares + (outside + outside)));
        const realv determinant =
            (a * (b * c - yx * yx) + zx * (zy * yx - b * zx)) - zy * (zy * c - yx * zx);
        const realv cube = scale * scale * scale;
        const realv ratio = (real)0.5 * determinant / (cube == (real)0 ? (realv)1 : cube);
        // Not fmin and fmax: a NaN stays.
        const realv over = ratio > (real)1 ? (realv)1 : ratio;
        const realv angle = (real)(1.0 / 3.0) * arc_cosine(over < (real)-1 ? (realv)-1 : over);
        const realv square = angle * angle;
        const realv cosine =
            scale * polynomial(square, 1, (real)(-1.0 / 2), (real)(1.0 / 24), (real)(-1.0 / 720),
                               (real)(1.0 / 40320), (real)(-1.0 / 3628800),
                               (real)(1.0 / 479001600), (real)(-1.0 / 87178291200.0));
        const realv sine =
            scale * (real)1.7320508075688772 *
            (angle * polynomial(square, 1, (real)(-1.0 / 6), (real)(1.0 / 120),
                                (real)(-1.0 / 5040), (real)(1.0 / 362880),
                                (real)(-1.0 / 39916800), (real)(1.0 / 6227020800.0),
                                (real)(-1.0 / 1307674368000.0)));
        PUT_VALUE(0, FROM_REALV(mean + (cosine + cosine)))
        PUT_VALUE(1, FROM_REALV(mean + (sine - cosine)))
        PUT_VALUE(2, FROM_REALV(mean - (sine + cosine)))
    }
}
