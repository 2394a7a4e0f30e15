"""DCGAN's training step in PyTorch, for bench_peers.py (images per second) and bench_quality.py (time to reach a given
quality).
"""
import copy
import dataclasses
import math

import torch
from torch import nn


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The networks and their training. Each field has the meaning of slopegan's key with the same or a similar name."""
    resolution: int = 32
    channels: int = 1
    latent_dim: int = 100
    generator_width: int = 32
    discriminator_width: int = 32
    generator_slope: float = 0.2
    discriminator_slope: float = 0.2
    std: float = 0.02
    batch_size: int = 64
    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    lr_warmup_images: int = 0
    lr_decay: str = "none"
    lr_decay_images: int = 0
    half_life_images: int = 10000  # 0: no average
    real_label: float = 1.0
    r1: float = 0.0
    r1_every: int = 1


def generator(recipe: Recipe) -> nn.Sequential:
    layers, before, stages = [], recipe.latent_dim, recipe.resolution.bit_length() - 3
    for stage in range(stages):
        after = recipe.generator_width << (stages - 1 - stage)
        layers += [nn.ConvTranspose2d(before, after, 4, 2 if stage else 1, 1 if stage else 0, bias=False),
                   nn.BatchNorm2d(after), activation(recipe.generator_slope)]
        before = after
    return nn.Sequential(*layers, nn.ConvTranspose2d(before, recipe.channels, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(recipe: Recipe) -> nn.Sequential:
    layers, before = [], recipe.channels
    for stage in range(recipe.resolution.bit_length() - 3):
        after = recipe.discriminator_width << stage
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(after)] if stage else []
        layers += [activation(recipe.discriminator_slope)]
        before = after
    return nn.Sequential(*layers, nn.Conv2d(before, 1, 4, 1, 0, bias=False))


def activation(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)


def initialise(network: nn.Module, std: float) -> None:
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, std)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, std)


def float_tensors(network: nn.Module) -> list[torch.Tensor]:
    return [*network.parameters(), *(buffer for buffer in network.buffers() if buffer.is_floating_point())]


class DcganTrainer:
    """Both networks with their optimisers, and an exponential moving average of the generator's weights.

    `tuned` selects the channels-last memory format and fused Adam, and skips the gradients of the discriminator's
    weights in the generator's step.
    """

    def __init__(self, recipe: Recipe, precision: str, tuned: bool, compiled: bool):
        self.recipe, self.tuned, self.bfloat16 = recipe, tuned, precision == "bfloat16"
        self.g, self.d = generator(recipe), discriminator(recipe)
        for network in (self.g, self.d):
            initialise(network, recipe.std)
            if tuned:
                network.to(memory_format=torch.channels_last)
        self.rates = (recipe.generator_lr, recipe.discriminator_lr)
        adam = {"betas": (recipe.beta1, recipe.beta2), "fused": tuned or None}
        self.optimizers = [torch.optim.Adam(network.parameters(), lr=rate, **adam)
                           for network, rate in zip((self.g, self.d), self.rates)]
        self.average = copy.deepcopy(self.g).eval().requires_grad_(False) if recipe.half_life_images else None
        self.forward_g, self.forward_d = ((torch.compile(network, dynamic=False) for network in (self.g, self.d)) if compiled
                                          else (self.g, self.d))
        self.loss = nn.BCEWithLogitsLoss()
        self.real_targets = torch.full((recipe.batch_size,), float(recipe.real_label))
        self.ones, self.zeros = torch.ones(recipe.batch_size), torch.zeros(recipe.batch_size)
        if self.average is not None:
            self.averaged = float_tensors(self.average), float_tensors(self.g)
        self.images_seen = self.steps = 0

    def step(self, real: torch.Tensor) -> float:
        """Trains on a batch of images in [-1, 1]. Returns the generator's loss."""
        self._set_rates()
        fake = self._train_discriminator(real)
        self.optimizers[0].zero_grad(set_to_none=True)
        if self.tuned:
            self.d.requires_grad_(False)
        with self._autocast():
            generator_loss = self.loss(self.forward_d(fake).flatten().float(), self.ones)
        generator_loss.backward()
        if self.tuned:
            self.d.requires_grad_(True)
        self.optimizers[0].step()
        self.images_seen += self.recipe.batch_size
        self.steps += 1
        self._update_average()
        return generator_loss.item()

    @torch.inference_mode()
    def generate(self, latents: torch.Tensor) -> torch.Tensor:
        """Returns images in [-1, 1] from the averaged generator, or from the generator if there is no average.

        Runs in evaluation mode and float32.
        """
        if self.average is not None:
            return self.average(latents)
        self.g.eval()
        images = self.g(latents)
        self.g.train()
        return images

    def _autocast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16)

    def _set_rates(self) -> None:
        recipe, factor = self.recipe, 1.0
        if recipe.lr_decay == "none" and not recipe.lr_warmup_images:
            return
        if recipe.lr_warmup_images:
            factor = min(1.0, (self.images_seen + recipe.batch_size) / recipe.lr_warmup_images)
        done = min(1.0, self.images_seen / recipe.lr_decay_images) if recipe.lr_decay != "none" else 0.0
        factor *= {"none": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[recipe.lr_decay]
        for optimizer, rate in zip(self.optimizers, self.rates):
            optimizer.param_groups[0]["lr"] = rate * factor

    def _train_discriminator(self, real: torch.Tensor) -> torch.Tensor:
        recipe = self.recipe
        penalised = recipe.r1 > 0 and self.steps % recipe.r1_every == 0
        # torch.compile does not support double backward, which the penalty needs.
        forward = self.d if penalised else self.forward_d
        with self._autocast():
            latents = torch.randn(recipe.batch_size, recipe.latent_dim, 1, 1)
            self.optimizers[1].zero_grad(set_to_none=True)
            fake = self.forward_g(latents)
            real_logits = forward(real.requires_grad_(penalised)).flatten().float()
            loss = self.loss(real_logits, self.real_targets)
            loss = loss + self.loss(self.forward_d(fake.detach()).flatten().float(), self.zeros)
        if penalised:
            gradient, = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
            loss = loss + recipe.r1 * recipe.r1_every / 2 * gradient.square().sum((1, 2, 3)).mean()
        loss.backward()
        self.optimizers[1].step()
        return fake

    def _update_average(self) -> None:
        if self.average is None:
            return
        half_life = min(self.recipe.half_life_images, 0.05 * self.images_seen)
        with torch.no_grad():
            torch._foreach_lerp_(*self.averaged, 1 - 2 ** (-self.recipe.batch_size / half_life))
