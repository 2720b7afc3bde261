"""Time ilastik's 49 filters with vigra; run by the system's Python, which has Debian's vigra.

``python3 vigra_features.py IMAGE.npy REPEATS`` prints the seconds of each run.
"""

import sys
import time

import numpy as np
import vigra

SIGMAS = (0.7, 1.0, 1.6, 3.5, 5.0, 10.0)


def features(image):
    """Compute 49 planes: ilastik's filters at its seven sigmas, cut at 2 and 3.5 sigma."""
    smooth = vigra.filters.gaussianSmoothing
    planes = [smooth(image, 0.3, window_size=3.5)]
    for sigma in SIGMAS:
        window = {"window_size": 2.0}
        planes.append(smooth(image, sigma, window_size=3.5))
        planes.append(vigra.filters.laplacianOfGaussian(image, sigma, **window))
        planes.append(vigra.filters.gaussianGradientMagnitude(image, sigma, **window))
        planes.append(smooth(image, sigma) - smooth(image, 0.66 * sigma))
        tensor = vigra.filters.structureTensorEigenvalues(image, sigma, 0.5 * sigma, **window)
        hessian = vigra.filters.hessianOfGaussianEigenvalues(image, sigma, **window)
        planes.extend([tensor[..., 0], tensor[..., 1], hessian[..., 0], hessian[..., 1]])
    return planes


def main():
    """Print the seconds of each run, one a line."""
    image = np.load(sys.argv[1]).astype(np.float32)
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        planes = features(image)
        seconds = time.perf_counter() - start
        if len(planes) != 49:
            raise SystemExit(f"made {len(planes)} planes, not 49")
        print(seconds)


main()
