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

// Symmetric 2 x 2 matrix: mean of the diagonal plus or minus the root.
KERNEL eigenvalue_2(ARGUMENTS) {
    STEP_AND_ROW
    const float sign = KIND == 0 ? 1.0f : -1.0f;
    FOR_VECTORS(x) {
        const floatv yy = INPUT(0), yx = INPUT(1), xx = INPUT(2);
        const floatv mean = 0.5f * (yy + xx), half_difference = 0.5f * (yy - xx);
        const floatv root = sqrt(fma(half_difference, half_difference, yx * yx));
        STORE(fma((floatv)sign, root, mean), ROW(OUT, z, y) + x);
    }
}

// Symmetric 3 x 3 matrix by the trigonometric solution of its characteristic polynomial
// (O. K. Smith, Communications of the ACM 4 (1961) 168).
KERNEL eigenvalue_3(ARGUMENTS) {
    STEP_AND_ROW
    FOR_VECTORS(x) {
        const floatv mean = (INPUT(0) + INPUT(3) + INPUT(5)) * (1.0f / 3.0f);
        const floatv a = INPUT(0) - mean, b = INPUT(3) - mean, c = INPUT(5) - mean;
        const floatv d = INPUT(1), e = INPUT(2), f = INPUT(4);
        const floatv off = fma(f, f, fma(e, e, d * d));
        const floatv square = fma(c, c, fma(b, b, fma(a, a, 2.0f * off)));
        const floatv p = sqrt(square * (1.0f / 6.0f));
        const floatv scale = p > 0.0f ? 1.0f / p : (floatv)0.0f;
        const floatv as = a * scale, bs = b * scale, cs = c * scale;
        const floatv ds = d * scale, es = e * scale, fs = f * scale;
        const floatv determinant = as * fma(bs, cs, -fs * fs) - ds * fma(ds, cs, -fs * es) +
                                   es * fma(ds, fs, -bs * es);
        const floatv angle = acos(clamp(0.5f * determinant, -1.0f, 1.0f)) * (1.0f / 3.0f);
        const floatv largest = 2.0f * cos(angle);
        const floatv smallest = 2.0f * cos(angle + 2.0943951023931953f);
        const floatv wanted =
            KIND == 0 ? largest : (KIND == 2 ? smallest : -(largest + smallest));
        STORE(fma(p, wanted, mean), ROW(OUT, z, y) + x);
    }
}
