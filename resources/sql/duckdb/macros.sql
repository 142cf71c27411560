-- Intervals that marts share. Wilson's 95 % interval of k out of n (Brown, Cai & DasGupta 2001, section 3.1.1); none where n is 0.
create macro wilson_mid(k, n) as (k + 1.959963985 ** 2 / 2) / (n + 1.959963985 ** 2);
create macro wilson_half(k, n) as
  1.959963985 * sqrt(k * (n - k) / n + 1.959963985 ** 2 / 4) / (n + 1.959963985 ** 2);
create macro wilson_low(k, n) as case when n > 0 then greatest(0, wilson_mid(k, n) - wilson_half(k, n)) end;
create macro wilson_high(k, n) as case when n > 0 then least(1, wilson_mid(k, n) + wilson_half(k, n)) end;
-- Student's 95 % interval of a mean is mean -/+ this; none of one value, nor of equal ones.
create macro student_half(sd, n, t) as case when sd > 0 then t * sd / sqrt(n) end;
-- A count is never below 0; what is missing stays missing (greatest alone would make it 0).
create macro at_least_zero(x) as case when x is not null then greatest(0, x) end;
