#include "media_support.h"

#include "../../../tools/resampling_quality.h"

/* docs/resampling.md has the numbers; these are what is asked for. */
static void expect_quality(int from, int to)
{
    am_resampling_quality q;
    am_test_expect_ok(am_measure_resampling(from, to, &q));
    print_message("%d to %d Hz: flat up to %.4f, -3 dB at %.4f, noise %.1f dB, alias %.1f dB\n", from, to, q.flat_to,
                  q.half_power_at, q.noise_db, q.alias_db);
    assert_true(q.flat_to > 0.9);
    assert_true(q.half_power_at > 0.94);
    assert_true(q.noise_db < -110.0);
    assert_true(to > from || q.alias_db < -110.0);
}

static void media_resampling__is_flat_and_quiet_downwards(void **state)
{
    expect_quality(44100, 16000);
    expect_quality(48000, 16000);
}

static void media_resampling__is_flat_and_quiet_upwards(void **state)
{
    expect_quality(8000, 16000);
    expect_quality(16000, 24000);
}
