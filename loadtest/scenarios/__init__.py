"""The scenarios by name."""

from scenarios import bill_life, month_end, redis_outage, slow_biller, soak

SCENARIOS = {
    module.SCENARIO.name: module.SCENARIO
    for module in (bill_life, month_end, slow_biller, redis_outage, soak)
}
