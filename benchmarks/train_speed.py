"""Maps/s of a whole training step: this package's flow against a plain U-Net flow of as many weights from diffusers, side by side in one run.

Run from the repository's root on an idle machine: python benchmarks/train_speed.py [resolution ...] [--batch 16] [--steps 6] [--rounds 5]
Ours: the U-Net of the preset mock64, flow matching, Adam, moving average of the weights, in the precision that `auto` picks.
diffusers: UNet2DModel of as many weights (within 10 %), conditioned on time alone, flow matching, Adam, moving average, in full and in the same precision.
It needs `pip install diffusers`. Steps take turns, so that a busy machine slows all alike; the median counts, and ratios are printed.
"""
import argparse
import copy
import resource
import statistics
import time

import torch

from cmd_emulator.checkpoint import has_bfloat16, pick_device, precision
from cmd_emulator.dataset import Batches, Normaliser
from cmd_emulator.losses import draw_times, interpolate
from cmd_emulator.train import Trainer, make_config

FIELDS = ("Mgas", "HI", "B")
NOTHING = Normaliser(FIELDS, mean=(0.0,) * 3, std=(1.0,) * 3, low=(-5.0,) * 3, high=(5.0,) * 3)


def count(network) -> int:
    return sum(p.numel() for p in network.parameters())


def plain_unet(resolution: int, weights: int):
    "diffusers' UNet2DModel with three grids, as wide as `weights` allow."
    from diffusers import UNet2DModel
    make = lambda c: UNet2DModel(sample_size=resolution, in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=8, block_out_channels=(c, 2 * c, 2 * c),
                                 down_block_types=("DownBlock2D",) * 3, up_block_types=("UpBlock2D",) * 3, add_attention=False)
    return min((make(c) for c in range(16, 97, 8)), key=lambda network: abs(count(network) - weights))


class Plain:
    "Flow matching as a user of the library would write it."

    def __init__(self, network, maps, batch: int, device, kind: str):
        self.network, self.maps, self.batch, self.device, self.kind = network.to(device), maps, batch, device, kind
        self.average = copy.deepcopy(self.network)
        self.adam = torch.optim.Adam(self.network.parameters(), 1e-3)

    def step(self):
        maps = self.maps[torch.randint(len(self.maps), (self.batch,))].to(self.device)
        t = draw_times(self.batch).to(self.device)
        x, velocity = interpolate(maps, torch.randn_like(maps), t)
        with precision(self.device, self.kind):
            loss = (self.network(x, 1000 * t).sample - velocity).square().mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 0.001)
        return float(loss.detach())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("resolutions", nargs="*", type=int, default=[64])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6, help="steps a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    device = pick_device(args.device)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {device}, bfloat16 {'in hardware' if has_bfloat16(device) else 'not in hardware'}")
    for resolution in args.resolutions:
        config = make_config("mock64", resolution=resolution, batch=args.batch)
        maps, labels = torch.randn(64, 3, resolution, resolution), 2 * torch.rand(64, 6) - 1
        ours = Trainer(config, Batches(maps, labels, args.batch, device=device), device, NOTHING)
        network = plain_unet(resolution, count(ours.flow))
        print(f"\n{resolution}², batches of {args.batch}: {count(ours.flow) / 1e6:.2f} million weights, diffusers {count(network) / 1e6:.2f} million")
        ways = {"ours": ours, "diffusers, full precision": Plain(network, maps, args.batch, device, "full"),
                "diffusers, precision as ours": Plain(copy.deepcopy(network), maps, args.batch, device, "auto")}
        times = {name: [] for name in ways}
        for turn in range(args.rounds + 1):  # the first one warms up
            for name, way in ways.items():
                began = time.perf_counter()
                for _ in range(args.steps):
                    way.step()
                if turn:
                    times[name].append((time.perf_counter() - began) / args.steps)
        best = statistics.median(times["ours"])
        for name, found in times.items():
            print(f"{name:30s} {args.batch / statistics.median(found):8.1f} maps/s   ours {statistics.median(found) / best:5.2f} times as fast")
    print(f"\nmost memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
