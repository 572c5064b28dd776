"What the Mock universe is held against: another program's matter power, and published numbers of IllustrisTNG."
import numpy as np

from cmd_emulator.gravity import HUBBLE, N_S, OMEGA_B
from cmd_emulator.maps import BOX

BOX_CUT = 0.71  # in units of k_f = 2 pi / BOX: where a spectrum must end to imitate the modes of a periodic box
TNG = {  # IllustrisTNG at 64 x 64 pixels, log10: mean of an average fiducial region; the rest from CV map 0
    "Mgas": dict(mean=10.44, std=0.47, quantiles=(9.72, 9.93, 10.31, 10.59, 10.91, 11.45, 11.96)),
    "HI": dict(mean=5.3, std=1.67, quantiles=(3.51, 3.91, 4.63, 5.11, 5.68, 9.53, 10.65)),
    "B": dict(mean=-12.1, std=2.15, quantiles=(-14.5, -14.2, -13.1, -11.0, -9.3, -7.6, -6.7)),
}
TNG_LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)  # of the quantiles
TNG_LH = {"Mgas": (10.415, 0.2415), "HI": (4.785, 1.023), "B": (-12.467, 4.144)}  # mean and variance of log10 over LH at 256 x 256
TNG_COARSER = {"Mgas": (0.02, 1.0), "HI": (0.53, 2.73), "B": (0.37, 1.11)}  # from 256 to 64 pixels: shift of mean, ratio of variances, CV map 0
TNG_R = {  # r(k) of log10 fields, averaged over k / k_f in 1-4, 5-8, 9-16, 17-31
    "Mgas-HI": (0.84, 0.82, 0.80, 0.73),
    "Mgas-B": (0.86, 0.63, 0.64, 0.59),
    "HI-B": (0.60, 0.57, 0.61, 0.63),
}


def nonlinear_power(
    k,  # wavenumber [h/Mpc]
    Omega_m: float,
    sigma_8: float,
    cut: float = BOX_CUT,  # in k_f; 0 for an infinite universe
) -> np.ndarray:  # [(Mpc/h)^3], at z = 0
    "Matter power spectrum of HMcode-2020 (Mead et al. 2021) without the waves that a box cannot hold; needs camb."
    import camb

    physical = dict(H0=100 * HUBBLE, ombh2=OMEGA_B * HUBBLE**2, omch2=(Omega_m - OMEGA_B) * HUBBLE**2, mnu=0, omk=0)
    linear = camb.set_params(As=2e-9, ns=N_S, **physical)
    linear.set_matter_power(redshifts=[0.0], kmax=50)
    A_s = 2e-9 * (sigma_8 / camb.get_results(linear).get_sigma8_0()) ** 2
    full = camb.set_params(halofit_version="mead2020", NonLinear="NonLinear_both", WantCls=False, **physical)
    q = np.geomspace(1e-5, 300, 3000)  # 1/Mpc
    edge = cut * 2 * np.pi / BOX * HUBBLE
    primordial = A_s * (q / 0.05) ** (N_S - 1) * (1e-4 + (1 - 1e-4) / (1 + (edge / q) ** 16))
    full.set_initial_power_table(q, pk=primordial, effective_ns_for_nonlinear=N_S)
    full.set_matter_power(redshifts=[0.0], kmax=50)
    spectrum = camb.get_results(full).get_matter_power_interpolator(nonlinear=True, hubble_units=True, k_hunit=True)
    return spectrum.P(0.0, np.asarray(k, dtype=float))
