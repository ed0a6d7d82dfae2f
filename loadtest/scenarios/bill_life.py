"""Bills from link to payment, some cancelled, some told twice by Kakao Pay."""

from lab.scenario import Scenario

SCENARIO = Scenario("bill-life", "ten billers, every step of a bill's life")
