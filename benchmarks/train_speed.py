"""Images/s of a whole training step of the paper's GAN, ours against the plain way, side by side in one run.

Run from the repository's root on an idle machine: python benchmarks/train_speed.py [resolution ...] [--batch 16] [--steps 8] [--preset gan64] [--ways ours plain] [--reference]
Ours: bfloat16 where the hardware has it, margins by one copy, doubling and convolution in one, penalties every fourth step.
Plain: the same networks, weights and batches in full precision, F.pad(mode="circular") before each convolution, doubling and then convolving,
penalties at every step. --reference adds a FastGAN-sized pair from outside, lightweight-gan (MIT) with its own defaults and its own step: hinge, reconstruction,
penalty every fourth step, full precision; it needs `pip install lightweight-gan`. In between, each change alone. Steps of all ways take turns, so that a busy machine slows them alike; the median counts.
"""
import argparse
import resource
import statistics
import time
from contextlib import contextmanager
from unittest import mock

import torch
import torch.nn.functional as F

from cmd_emulator import gan, gan_train
from cmd_emulator.dataset import Batches
from cmd_emulator.gan_train import PRESETS, GanTrainer, make_config
from cmd_emulator.train import has_bfloat16, pick_device


def plain_conv(x, weight, bias=None):
    "Circular padding as a user of PyTorch would write it."
    p = weight.shape[-1] // 2
    return F.conv2d(F.pad(x, (p, p, p, p), mode="circular") if p else x, weight, bias)


def plain_conv_up(x, weight):
    "Double, then convolve."
    return plain_conv(F.interpolate(x, scale_factor=2), weight)


@contextmanager
def plain_convolutions(on: bool):
    "Within this context the networks convolve the plain way."
    if not on:
        yield
        return
    with mock.patch.object(gan, "conv", plain_conv), mock.patch.object(gan, "conv_up", plain_conv_up):
        yield


WAYS = {  # settings, plain convolutions?, steps between penalties
    "ours": ({}, False, 4),
    "ours, full precision": (dict(precision="full"), False, 4),
    "ours, plain convolutions": ({}, True, 4),
    "ours, penalties each step": ({}, False, 1),
    "plain": (dict(precision="full"), True, 1),
}


class Reference:
    "lightweight-gan's networks and training step, without its augmentations, on noise."

    def __init__(self, resolution: int, batch: int, device):
        pictures = {name: mock.MagicMock() for name in ("torchvision", "torchvision.transforms")}  # it reads pictures with these, and networks are all we use
        with mock.patch("torch.cuda.is_available", lambda: True), mock.patch.dict("sys.modules", pictures):  # refuses to be imported without a GPU
            import lightweight_gan.lightweight_gan as outside
        outside.norm_class, outside.Blur = torch.nn.BatchNorm2d, torch.nn.Identity  # what its trainer sets by default
        shape = dict(image_size=resolution, attn_res_layers=[32])
        self.generator, self.discriminator = outside.Generator(latent_dim=256, **shape).to(device), outside.Discriminator(disc_output_size=1, **shape).to(device)
        self.optimisers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.9)) for net in (self.generator, self.discriminator)]
        self.hinge, self.batch, self.device, self.steps = outside.hinge_loss, batch, device, 0
        self.maps = torch.randn(batch, 3, resolution, resolution, device=device)

    def draw(self):
        return self.generator(torch.randn(self.batch, 256, device=self.device))

    def penalty(self, real, fake, outputs) -> torch.Tensor:
        "Ten times the mean squared slope, as there."
        slopes = torch.autograd.grad([o.sum() for o in outputs], [real, fake], create_graph=True)
        return 10 * torch.cat(slopes).flatten(1).norm(dim=1).square().mean()

    def step(self) -> None:
        punish, self.steps = self.steps % 4 == 0, self.steps + 1
        with torch.no_grad():
            fake = self.draw()
        real, fake = self.maps.clone().requires_grad_(punish), fake.requires_grad_(punish)
        seen, seen_small, redrawn = self.discriminator(real, calc_aux_loss=True)
        made, made_small, _ = self.discriminator(fake)
        loss = self.hinge(seen, made) + self.hinge(seen_small, made_small) + redrawn
        if punish:
            loss = loss + self.penalty(real, fake, [seen, seen_small, made, made_small])
        self.move(1, loss)
        made, made_small, _ = self.discriminator(self.draw())
        self.move(0, made.mean() + made_small.mean())

    def move(self, player: int, loss) -> None:
        self.optimisers[player].zero_grad()
        loss.backward()
        self.optimisers[player].step()


def make_trainer(preset: str, resolution: int, batch: int, device, settings: dict) -> GanTrainer:
    "A trainer on noise: speed does not depend on what the maps show."
    config = make_config(preset, resolution=resolution, batch=batch, **dict(precision="auto") | settings)
    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(4 * batch, len(config.fields), resolution, resolution, generator=draw)
    labels = 2 * torch.rand(4 * batch, len(config.conditions), generator=draw) - 1
    return GanTrainer(config, Batches(maps, labels, batch, device=device), device, (1.0,) * len(config.fields))


def cycle(trainer, plain: bool, every: int, steps: int, device) -> float:
    "Seconds of this many steps, a multiple of the four between penalties."
    with plain_convolutions(plain), mock.patch.object(gan_train, "PENALTY_EVERY", every):
        began = time.perf_counter()
        for _ in range(steps):
            trainer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began


def weights(trainer) -> str:
    "Millions of weights of both networks."
    return " + ".join(f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f}" for net in (trainer.generator, trainer.discriminator))


def compare(preset: str, resolution: int, batch: int, rounds: int, steps: int, device, reference: bool, ways=tuple(WAYS)) -> None:
    "Print images/s of each way and its ratio to the plain one."
    trainers = {name: make_trainer(preset, resolution, batch, device, WAYS[name][0]) for name in ways}
    if reference:
        trainers["lightweight-gan"] = Reference(resolution, batch, device)
    times = {name: [] for name in trainers}
    for turn in range(rounds + 1):  # the first warms up
        for name in trainers:
            seconds = cycle(trainers[name], *WAYS.get(name, ({}, False, 4))[1:], steps, device)
            times[name] += [seconds] if turn else []
    speed = {name: batch * steps / statistics.median(found) for name, found in times.items()}
    print(f"\n{resolution}², batch {batch}, preset {preset}")
    for name, found in speed.items():
        ratios = "   ".join(f"{found / speed[other]:5.2f} x {other}" for other in ("plain", "lightweight-gan") if other in speed)
        print(f"{name:28s} {found:8.2f} images/s   {ratios}   {weights(trainers[name])} M weights")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("resolutions", nargs="*", type=int, default=[64, 256])
    parser.add_argument("--preset", default="gan64", choices=list(PRESETS), help="for the widths of its networks (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=4, help="a turn, a multiple of 4")
    parser.add_argument("--rounds", type=int, default=3, help="turns that count")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--reference", action="store_true", help="beside a FastGAN-sized pair from outside")
    parser.add_argument("--ways", nargs="+", choices=tuple(WAYS), default=list(WAYS), metavar="WAY", help=f"some of: {', '.join(map(repr, WAYS))} (default: all)")
    args = parser.parse_args()
    if args.steps % 4:
        parser.error(f"--steps {args.steps}: a multiple of 4, so that each turn holds whole periods of penalties")
    device = pick_device(args.device)
    print(f"{device}, {torch.get_num_threads()} threads, bfloat16 in hardware: {has_bfloat16(device)}, torch {torch.__version__}")
    for resolution in args.resolutions:
        compare(args.preset, resolution, args.batch, args.rounds, args.steps, device, args.reference, args.ways)
    memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"\npeak memory of all ways together: {memory / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
