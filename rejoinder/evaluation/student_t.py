"""Quantiles of Student's t, for intervals of means over few values.

Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 26.7.5 (expansion in the normal quantile);
for one and two degrees of freedom the closed forms.
"""

from math import pi, sqrt, tan

# The normal quantile of 0.975.
Z = 1.959963984540054
_TERMS = (
    (Z**3 + Z) / 4,
    (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
    (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
    (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92_160,
)


def t_975(df: int) -> float:
    """Half the width of a two-sided 95 % interval in standard errors; within 0.2 % of the exact value.

    Args:
        df: degrees of freedom, 1 or more: the number of values less one.

    >>> [round(t_975(df), 2) for df in (1, 2, 3, 10, 200)]
    [12.71, 4.3, 3.18, 2.23, 1.97]
    """
    if df == 1:
        return tan(pi * 0.475)
    if df == 2:
        return 0.95 / sqrt(2 * 0.975 * 0.025)
    return float(Z + sum(term / df**power for power, term in enumerate(_TERMS, start=1)))
