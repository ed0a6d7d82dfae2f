"""Bills from link to payment, some of them cancelled, some with pay-results that Kakao Pay sends twice."""

from bench.scenario import Scenario

SCENARIO = Scenario("bill-life", "ten billers, every call for a bill")
