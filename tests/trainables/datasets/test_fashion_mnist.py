"""The real Fashion-MNIST, where its files are found or can be fetched."""

from __future__ import annotations

import hashlib

import numpy as np

from tests.real_data import fashion_mnist

#: Of the arrays that the protocol gives from the published files.
DIGESTS = {
    "x_train": "4a6a70b2f99d70c3e10ea3dcb24dc39c13a6e1197984d1abde295775bda54443",
    "y_train": "a0bfc9db61c2a3b26a1903e70fda26d570c61c00954d81788e7236f7678b3d66",
    "x_validation": "3457189f332baabd37df6361f249065584ca3b447b41632fde82d789326a2100",
    "y_validation": "32e5ab655b7593c34bdf6f43119e0e1233558fae9407dcef0c63645af6d5680e",
    "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    "y_test": "d51d859896c55775b9e9e219b77ff03bcec1b6ac322f313544dc3f9e7bc94fae",
}


def test_fashion_mnist_follows_the_protocol() -> None:
    data = fashion_mnist()
    for name, digest in DIGESTS.items():
        array = getattr(data, name)
        little_endian = array.astype(array.dtype.newbyteorder("<"))
        assert hashlib.sha256(little_endian.tobytes()).hexdigest() == digest, name
    assert data.x_train.shape == (50_000, 784)
    assert data.x_validation.shape == data.x_test.shape == (10_000, 784)
    assert np.bincount(data.y_test).tolist() == [1000] * len(data.classes)
    assert data.scale == 1 / 256
