"""Writes detect-reference.json: values of numpy, scipy and ddsketch that src/detect and src/requests are checked against.

python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy ddsketch && /tmp/venv/bin/python detect-reference.py
"""
import json
import pathlib
import re

import numpy as np
from ddsketch.mapping import LogarithmicMapping
from scipy import optimize, stats


def log_e_value(z, information, null_variance, drift_variance):
    """Log of the ratio of the two marginal normal densities of d = z / sqrt(information)."""
    d = z / np.sqrt(information)
    drift = stats.norm.logpdf(d, scale=np.sqrt(1 / information + drift_variance))
    return drift - stats.norm.logpdf(d, scale=np.sqrt(1 / information + null_variance))


def share_score(canary, canary_rest, baseline, baseline_rest):
    """Signed root of the likelihood ratio of the 2x2 table, from scipy's G test without correction."""
    table = np.array([[canary, canary_rest], [baseline, baseline_rest]], dtype=float)
    statistic = stats.chi2_contingency(table, correction=False, lambda_='log-likelihood').statistic
    total = table.sum()
    share = table[:, 0].sum() / total
    sign = 1 if canary / (canary + canary_rest) >= share else -1
    rows = table.sum(axis=1)
    return {'z': sign * np.sqrt(statistic), 'information': share * (1 - share) * rows.prod() / total}


def random_effect_half_width(information, null_variance, drift_variance, alpha):
    """The estimate at which the log e-value reaches ln(1 / 2 alpha), by search."""
    def missing(d):
        return log_e_value(d * np.sqrt(information), information, null_variance, drift_variance) + np.log(2 * alpha)
    return optimize.brentq(missing, 1e-9, 100)


def rejected_by_ebh(log_e_values, alpha):
    order = np.argsort(-np.array(log_e_values), kind='stable')
    k = np.arange(1, len(order) + 1)
    passing = np.flatnonzero(np.array(log_e_values)[order] >= np.log(len(order) / (alpha * k)))
    return order[: passing[-1] + 1].tolist() if len(passing) else []


def bound_factor(alpha, growth):
    def excess(c):
        return stats.norm.sf(c) + stats.norm.pdf(c) * (c - 1 / c) * np.log(growth) / 2 - alpha
    return optimize.brentq(excess, 1, 8)


def restart_mixture(parts, planned):
    """Log of the mean, over starts, of the ratio of the marginal densities of growth since a start, from raw normal densities.

    A block is one look of 1,500 requests, 15 of them beyond the threshold in the baseline (weighted squares 75); density 0.04,
    waves 0.001 a block of four looks, ageing 1e-4, drift 0.1, at least 30 expected on each side.
    """
    counted = 1500 * np.array(parts)
    density, ageing, drift = 0.04, 1e-4, 0.1
    total = 0.0
    for start in range(1, len(parts)):
        sides = [counted[:start], counted[start:]]
        if min(15 * len(side) for side in sides) < 30:
            continue
        rates = [(side.sum() - 15 * len(side)) / (1500 * len(side)) for side in sides]
        growth = (rates[1] - rates[0]) / density
        if growth <= 0:
            continue
        variances = []
        for side in sides:
            n = 1500 * len(side)
            variances.append(0.01 * 0.99 * (1 / n + 75 * len(side) / n**2) / density**2 + 0.001 * 4 / len(side))
        null = np.sqrt(sum(variances) + ageing)
        total += stats.norm.pdf(growth, scale=np.sqrt(null**2 + drift**2)) / stats.norm.pdf(growth, scale=null)
    return np.log(total / planned)


random = np.random.default_rng(3)
E_CASES = [(2.5, 40, 0.001, 0.091), (6, 900, 0.0006, 0.0906), (0.4, 12, 0.01, 4.01), (-3, 200, 0, 0.04)]
HALF_CASES = [(2500, 0.0003, 0.0103, 0.002), (400, 0.0015, 0.0115, 0.002), (1e5, 0.0001, 0.0101, 0.004), (900, 0.0, 0.01, 0.025)]
SHARE_CASES = [(480, 9520, 5, 9995), (30, 970, 25, 1975), (9900, 100, 9890, 110), (200, 19800, 500, 19500), (48, 952, 0, 1000)]
EBH_CASES = [
    ([9.1, 2.0, 7.5, -1.0, 6.2, 0.1], 0.01),
    ([5.9, 5.8, 5.7, 5.6], 0.01),
    ([1.0, 2.0], 0.01),
    (random.normal(4, 4, 40).round(6).tolist(), 0.05),
]
RESTART_CASES = [
    ([0.01] * 4 + [0.016] * 6, 14),
    ([0.009, 0.011, 0.01, 0.012, 0.01, 0.013, 0.018, 0.02], 14),
    ([0.01, 0.01, 0.011, 0.012], 5),
]
QUANTILE_CASES = [0.5, 0.9, 0.975, 1 - 0.004 / 500]

SKETCH_CASES = [1.5, 2, 79.9, 80, 1e3, 12345.6, 8e4, 1e6, 59.99e6, 3.5e9]
latencies = (15e3 * np.exp(0.72 * np.random.default_rng(8).standard_normal(100))).round(1)

reference = {
    'logEValue': [{'args': c, 'expected': float(log_e_value(*c))} for c in E_CASES],
    'randomEffectHalfWidth': [{'args': c, 'expected': float(random_effect_half_width(*c))} for c in HALF_CASES],
    'shareScore': [{'args': c, 'expected': {k: float(v) for k, v in share_score(*c).items()}} for c in SHARE_CASES],
    'rejectedByEbh': [{'args': c, 'expected': rejected_by_ebh(*c)} for c in EBH_CASES],
    'boundFactor': [{'args': c, 'expected': float(bound_factor(*c))} for c in [(0.025, 1.0), (0.025, 2.7), (0.025, 10), (0.05, 4)]],
    'restartMixture': [{'args': c, 'expected': float(restart_mixture(*c))} for c in RESTART_CASES],
    'normalQuantile': [{'args': [p], 'expected': float(stats.norm.ppf(p))} for p in QUANTILE_CASES],
    'sketchKey': [{'args': [v], 'expected': LogarithmicMapping(0.01).key(v)} for v in SKETCH_CASES],
    'quantile': [{'args': [latencies.tolist(), p], 'expected': float(np.quantile(latencies, p, method='inverted_cdf'))} for p in (0.5, 0.95)],
    'studentQuantile': [{'args': [p, df], 'expected': float(stats.t.ppf(p, df))} for p in QUANTILE_CASES for df in (4, 10, 24)],
}
path = pathlib.Path(__file__).with_suffix('.json')
# Lists of numbers on one line, so that a reader sees cases.
text = re.sub(r'\[[^\[\]{}]*\]', lambda numbers: re.sub(r'\s+', ' ', numbers[0]).replace('[ ', '[').replace(' ]', ']'), json.dumps(reference, indent=2))
path.write_text(text + '\n')
