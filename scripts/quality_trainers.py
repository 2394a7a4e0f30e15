"""Trains one peer for bench_quality.py in a separate process, and times it.

    python scripts/quality_trainers.py '{"trainer": "pytorch", "seed": 0, "begin": …, …}'

For each line {"images": N, "file": F} on stdin, the script trains until the networks have seen N images, saves
generated images to F (NumPy, uint8, count x H x W x 1), and prints {"images": …, "seconds": …}. `begin` is the
monotonic clock's reading when the process was started. The reported seconds include imports, data loading and
compilation, but not generating and saving images or waiting for the next line.
"""
import gzip
import json
import os
import pathlib
import sys
import time

import numpy


def read_images(folder: str) -> numpy.ndarray:
    """The training images of (Fashion-)MNIST in [-1, 1], padded with black to 32 x 32."""
    with gzip.open(pathlib.Path(folder) / "train-images-idx3-ubyte.gz") as file:
        pixels = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 28, 28)
    return numpy.pad(pixels, ((0, 0), (2, 2), (2, 2))).astype(numpy.float32)[..., None] / 127.5 - 1


def to_pixels(images: numpy.ndarray) -> numpy.ndarray:
    return numpy.clip(numpy.rint((images + 1) * 127.5), 0, 255).astype(numpy.uint8)


class Batches:
    """Indices of the images, in a new order in each epoch. An incomplete last batch is dropped."""

    def __init__(self, count: int, batch_size: int, seed: int):
        self.count, self.batch_size, self.random = count, batch_size, numpy.random.default_rng(seed)
        self.order, self.position = self.random.permutation(count), 0

    def next(self) -> numpy.ndarray:
        if self.position + self.batch_size > self.count:
            self.order, self.position = self.random.permutation(self.count), 0
        self.position += self.batch_size
        return self.order[self.position - self.batch_size:self.position]


class PyTorch:
    """Runs the training step that bench_peers.py times, with spec["recipe"]."""

    def __init__(self, spec: dict, images: numpy.ndarray):
        import peer_pytorch
        import torch

        self.torch = torch
        torch.set_num_threads(spec["threads"])
        torch.manual_seed(spec["seed"])
        recipe = peer_pytorch.Recipe(**spec["recipe"])
        self.batch_size, self.latent_dim = recipe.batch_size, recipe.latent_dim
        self.trainer = peer_pytorch.DcganTrainer(recipe, spec["precision"], spec["tuned"], spec["compiled"])
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2)
        self.layout = torch.channels_last if spec["tuned"] else torch.contiguous_format

    def step(self, indices: numpy.ndarray) -> None:
        real = self.images.index_select(0, self.torch.from_numpy(indices))
        self.trainer.step(real.contiguous(memory_format=self.layout))

    def generate(self, count: int, seed: int) -> numpy.ndarray:
        latents = self.torch.randn(count, self.latent_dim, 1, 1, generator=self.torch.Generator().manual_seed(seed))
        parts = [self.trainer.generate(part) for part in latents.split(250)]
        return self.torch.cat(parts).permute(0, 2, 3, 1).numpy()


class Keras:
    """Base class of the two examples below. Their steps are compiled with tf.function and use float32, as published."""

    def __init__(self, spec: dict, images: numpy.ndarray):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras
        import tensorflow as tf

        self.tf, self.keras, self.images = tf, keras, images
        tf.config.threading.set_intra_op_parallelism_threads(spec["threads"])
        tf.config.threading.set_inter_op_parallelism_threads(1)
        keras.utils.set_random_seed(spec["seed"])
        self.g, self.d = self.networks()
        self.compiled = tf.function(self.train)

    def step(self, indices: numpy.ndarray) -> None:
        self.compiled(self.tf.constant(self.images[indices]))

    def generate(self, count: int, seed: int) -> numpy.ndarray:
        latents = numpy.random.default_rng(seed).standard_normal((count, self.latent_dim), numpy.float32)
        parts = [self.g(part, training=False).numpy() for part in numpy.split(latents, range(250, count, 250))]
        return self.to_range(numpy.concatenate(parts))

    def to_range(self, images: numpy.ndarray) -> numpy.ndarray:
        return images

    def apply(self, optimizer, tape, loss, network) -> None:
        weights = network.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))


class KerasExample(Keras):
    """keras.io's "DCGAN to generate face images", modified.

    The smallest feature map is 4 x 4 (not 8 x 8), and there is one channel (not three).
    """
    batch_size, latent_dim = 32, 128

    def networks(self):
        layers = self.keras.layers
        d = self.keras.Sequential([self.keras.Input((32, 32, 1))])
        for filters in (64, 128, 128):
            d.add(layers.Conv2D(filters, 4, 2, "same"))
            d.add(layers.LeakyReLU(negative_slope=0.2))
        d.add(layers.Flatten())
        d.add(layers.Dropout(0.2))
        d.add(layers.Dense(1, activation="sigmoid"))
        g = self.keras.Sequential([self.keras.Input((self.latent_dim,)), layers.Dense(4 * 4 * 128), layers.Reshape((4, 4, 128))])
        for filters in (128, 256, 512):
            g.add(layers.Conv2DTranspose(filters, 4, 2, "same"))
            g.add(layers.LeakyReLU(negative_slope=0.2))
        g.add(layers.Conv2D(1, 5, padding="same", activation="sigmoid"))
        self.loss = self.keras.losses.BinaryCrossentropy()
        self.g_optimizer, self.d_optimizer = (self.keras.optimizers.Adam(1e-4) for _ in range(2))
        for optimizer, network in ((self.g_optimizer, g), (self.d_optimizer, d)):
            optimizer.build(network.trainable_variables)
        return g, d

    def train(self, real):
        tf, count = self.tf, self.batch_size
        fake = self.g(tf.random.normal((count, self.latent_dim)))
        # In this example, 1 stands for generated images.
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], 0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            loss = self.loss(labels, self.d(tf.concat([fake, (real + 1) / 2], 0), training=True))
        self.apply(self.d_optimizer, tape, loss, self.d)
        with tf.GradientTape() as tape:
            predictions = self.d(self.g(tf.random.normal((count, self.latent_dim)), training=True), training=True)
            loss = self.loss(tf.zeros((count, 1)), predictions)
        self.apply(self.g_optimizer, tape, loss, self.g)

    def to_range(self, images):
        return 2 * images - 1


class TensorFlowTutorial(Keras):
    """tensorflow.org's "Deep Convolutional Generative Adversarial Network" as published, at 28 x 28."""
    batch_size, latent_dim = 256, 100

    def networks(self):
        layers = self.keras.layers
        g = self.keras.Sequential([self.keras.Input((100,)), layers.Dense(7 * 7 * 256, use_bias=False),
                                   layers.BatchNormalization(), layers.LeakyReLU(), layers.Reshape((7, 7, 256))])
        for filters, stride in ((128, 1), (64, 2)):
            g.add(layers.Conv2DTranspose(filters, 5, stride, "same", use_bias=False))
            g.add(layers.BatchNormalization())
            g.add(layers.LeakyReLU())
        g.add(layers.Conv2DTranspose(1, 5, 2, "same", use_bias=False, activation="tanh"))
        d = self.keras.Sequential([self.keras.Input((28, 28, 1))])
        for filters in (64, 128):
            d.add(layers.Conv2D(filters, 5, 2, "same"))
            d.add(layers.LeakyReLU())
            d.add(layers.Dropout(0.3))
        d.add(layers.Flatten())
        d.add(layers.Dense(1))
        self.images = self.images[:, 2:-2, 2:-2]
        self.loss = self.keras.losses.BinaryCrossentropy(from_logits=True)
        self.g_optimizer, self.d_optimizer = (self.keras.optimizers.Adam(1e-4) for _ in range(2))
        for optimizer, network in ((self.g_optimizer, g), (self.d_optimizer, d)):
            optimizer.build(network.trainable_variables)
        return g, d

    def train(self, real):
        noise = self.tf.random.normal((self.batch_size, self.latent_dim))
        with self.tf.GradientTape() as g_tape, self.tf.GradientTape() as d_tape:
            fake = self.g(noise, training=True)
            real_logits, fake_logits = self.d(real, training=True), self.d(fake, training=True)
            g_loss = self.loss(self.tf.ones_like(fake_logits), fake_logits)
            d_loss = (self.loss(self.tf.ones_like(real_logits), real_logits)
                      + self.loss(self.tf.zeros_like(fake_logits), fake_logits))
        self.apply(self.g_optimizer, g_tape, g_loss, self.g)
        self.apply(self.d_optimizer, d_tape, d_loss, self.d)

    def to_range(self, images):
        return numpy.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=-1)


TRAINERS = {"pytorch": PyTorch, "keras": KerasExample, "tensorflow": TensorFlowTutorial}


def main() -> int:
    spec = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # because libraries print to stdout
    images = read_images(spec["data"])
    trainer = TRAINERS[spec["trainer"]](spec, images)
    batches = Batches(len(images), trainer.batch_size, spec["seed"])
    seen, begin = 0, spec["begin"]
    for line in sys.stdin:
        request = json.loads(line)
        if seen:
            begin += time.monotonic() - paused
        while seen < request["images"]:
            trainer.step(batches.next())
            seen += trainer.batch_size
        paused = time.monotonic()
        generated = trainer.generate(spec["samples"], 1_000_000 + spec["seed"])
        numpy.savez(request["file"], arr_0=to_pixels(generated))
        print(json.dumps({"images": seen, "seconds": paused - begin}), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
