#!/usr/bin/env python3
"""Writes tests/golden/metrics/: pairs of feature sets, and their metrics according to torch-fidelity and prdc.

    python3 -m venv VENV
    VENV/bin/pip install --no-deps torch-fidelity==0.4.0 prdc==0.2
    VENV/bin/pip install torch==2.13.0 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 safetensors==0.8.0 tqdm pillow
    VENV/bin/python scripts/golden_metrics.py tests/golden/metrics

torch-fidelity imports torchvision, which does not have a wheel for every version of torch. Only the imported names are
needed, so this script defines stubs. torch-fidelity computes the square roots of eigenvalues of a non-symmetric
product, which loses precision if covariances are singular. For sets of integers, the Frechet distance is therefore
computed a second time by mpmath (a dependency of torch), with 50 digits. Features are stored as float32 and converted
to float64 for the references. Input 1 of torch-fidelity is the generated set, and input 2 is the real one. The
features also serve as logits for the classifier score. The degenerate sets contain small integers, so that ties between
distances are exact in the references as well.
"""
import contextlib
import io
import json
import pathlib
import sys
import types

import mpmath
import numpy as np
import safetensors.numpy
import torch
from torch.utils.data import TensorDataset

for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"):
    sys.modules[name] = types.ModuleType(name)
for dataset in ("CIFAR10", "CIFAR100", "STL10"):
    setattr(sys.modules["torchvision.datasets"], dataset, type(dataset, (), {}))
for parent, child in (("torchvision", "datasets"), ("torchvision", "transforms"),
                      ("torchvision.transforms", "functional")):
    setattr(sys.modules[parent], child, sys.modules[f"{parent}.{child}"])

import prdc  # noqa: E402
import torch_fidelity  # noqa: E402
from torch_fidelity.feature_extractor_base import FeatureExtractorBase  # noqa: E402


class PassThrough(FeatureExtractorBase):
    """A feature extractor that returns each sample unchanged."""

    def __init__(self, name, features_list, **_):
        super().__init__(name, features_list)

    @staticmethod
    def get_provided_features_list():
        return ("features",)

    @staticmethod
    def get_default_feature_layer_for_metric(_):
        return "features"

    @staticmethod
    def can_be_compiled():
        return False

    def forward(self, sample):
        assert sample.dtype == torch.float64
        return (sample,)


torch_fidelity.register_feature_extractor("pass-through", PassThrough)


class Samples(TensorDataset):
    def __getitem__(self, index):
        return super().__getitem__(index)[0]


def feature_sets():
    """Yields (name, real, generated). Each pair has its own random seed, so a new pair does not change the others."""
    def random(index):
        return np.random.default_rng([20, index])

    r = random(0)
    yield "gaussian", r.normal(size=(300, 16)), r.normal(size=(300, 16))
    r = random(1)
    mix = r.normal(size=(64, 64)) / 8
    yield "correlated", r.normal(size=(300, 64)) @ mix, 1.2 * r.normal(size=(300, 64)) @ mix + 0.1
    r = random(2)
    yield "heavy_tails", r.standard_t(3, size=(250, 8)), r.standard_t(4, size=(250, 8))
    r = random(3)
    mix, classes = r.normal(size=(10, 128)), np.eye(10) * 3
    yield ("tanh", np.tanh((classes[r.integers(10, size=300)] + r.normal(size=(300, 10))) @ mix / 3),
           np.tanh((classes[r.integers(7, size=300)] + r.normal(size=(300, 10))) @ mix / 3))
    r = random(4)
    yield "far_from_zero", 100 + r.normal(size=(250, 12)), 100.2 + r.normal(size=(250, 12))
    r = random(5)
    centres = 4 * r.normal(size=(5, 10))
    yield ("unequal_counts", centres[r.integers(5, size=320)] + r.normal(size=(320, 10)),
           centres[r.integers(3, size=110)] + r.normal(size=(110, 10)))
    r = random(6)
    yield "rectified", np.maximum(r.normal(size=(250, 32)), 0), np.maximum(r.normal(size=(250, 32)) - 0.3, 0)
    r = random(7)
    mix = r.integers(-2, 3, size=(5, 24))
    yield ("rank_deficient", r.integers(-4, 5, size=(200, 5)) @ mix, r.integers(-3, 6, size=(200, 5)) @ mix)
    r = random(8)
    real = r.integers(0, 5, size=(150, 4))
    yield "duplicates", real, np.concatenate([real[:60], r.integers(0, 6, size=(90, 4))])
    r = random(9)
    yield "fewer_samples_than_features", r.integers(-9, 10, size=(20, 64)), r.integers(-8, 10, size=(20, 64))
    r = random(10)
    real = r.integers(-5, 6, size=(80, 6))
    yield "collapsed", real, np.repeat(real[17:18], 80, axis=0)


def reference(real, generated):
    same_count = len(real) == len(generated)
    found = torch_fidelity.calculate_metrics(
        input1=Samples(torch.from_numpy(generated)), input2=Samples(torch.from_numpy(real)),
        feature_extractor="pass-through", cuda=False, verbose=False, save_cpu_ram=True, cache=False, isc=True,
        isc_splits=1, fid=True, kid=same_count, kid_subsets=1, kid_subset_size=len(real), prc=True)
    values = {"frechet_distance": found["frechet_inception_distance"], "precision": found["precision"],
              "recall": found["recall"], "classifier_score": found["inception_score_mean"]}
    if same_count:  # torch-fidelity's estimator requires equal sizes
        values["kernel_distance"] = found["kernel_inception_distance_mean"]
    with contextlib.redirect_stdout(io.StringIO()):
        found = prdc.compute_prdc(real, generated, nearest_k=5)
    return values | {"density": float(found["density"]), "coverage": float(found["coverage"])}


def exact_moments(features):
    """Mean and covariance of integer features, [count, width], in mpmath's precision."""
    count, width = features.shape
    total, products = features.sum(axis=0), features.T @ features
    covariance = mpmath.matrix(width, width)
    for i in range(width):
        for j in range(width):
            deviations = count * int(products[i, j]) - int(total[i]) * int(total[j])
            covariance[i, j] = mpmath.mpf(deviations) / (count * (count - 1))
    return mpmath.matrix([mpmath.mpf(int(t)) / count for t in total]), covariance


def roots(eigenvalues):
    """Square roots of eigenvalues. Values below 1e-40 are rounding errors of zero eigenvalues and are set to zero."""
    return [mpmath.sqrt(value) if value > mpmath.mpf(10) ** -40 else mpmath.mpf(0) for value in eigenvalues]


def exact_frechet_distance(real, generated):
    mpmath.mp.dps = 50
    (mean_1, sigma_1), (mean_2, sigma_2) = exact_moments(real), exact_moments(generated)
    eigenvalues, vectors = mpmath.eigsy(sigma_1)
    root = vectors * mpmath.diag(roots(eigenvalues)) * vectors.T
    product = root * sigma_2 * root
    between = mpmath.fsum(roots(mpmath.eigsy((product + product.T) / 2, eigvals_only=True)))
    traces = mpmath.fsum(sigma_1[i, i] + sigma_2[i, i] for i in range(sigma_1.rows))
    return float(mpmath.norm(mean_1 - mean_2) ** 2 + traces - 2 * between)


def main(folder):
    tensors, values = {}, {}
    for name, real, generated in feature_sets():
        real, generated = real.astype(np.float32), generated.astype(np.float32)
        tensors |= {f"{name}.real": real, f"{name}.generated": generated}
        values[name] = reference(real.astype(np.float64), generated.astype(np.float64))
        if (real == real.round()).all() and (generated == generated.round()).all():
            values[name]["exact_frechet_distance"] = exact_frechet_distance(real.astype(int), generated.astype(int))
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.numpy.save_file(tensors, folder / "features.safetensors")
    (folder / "values.json").write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
