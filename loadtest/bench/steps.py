"""The calls for one bill, in order. With `every` and `when` only some bills have a step."""

BILL_LIFE = [
    {"name": "link_create", "api": "link_create", "codes": ["OK"]},
    {"name": "link_recreate, 1 in 10", "api": "link_recreate", "codes": ["OK"], "every": 10, "when": 5},
    {"name": "notice", "api": "notice", "codes": ["OK"]},
    {"name": "prepay", "api": "prepay", "codes": ["OK"]},
    {"name": "pay_result", "api": "pay_result", "pay_type": "P", "codes": ["OK"]},
    {"name": "pay_result copy, 1 in 10", "api": "pay_result", "pay_type": "P", "codes": ["OK"],
     "every": 10, "when": 3, "is_copy": True},
    {"name": "prepay, paid", "api": "prepay", "codes": ["E403"]},
    {"name": "pay_result cancel, 1 in 20", "api": "pay_result", "pay_type": "C", "codes": ["OK"],
     "every": 20, "when": 7},
    {"name": "prepay, cancelled, 1 in 20", "api": "prepay", "codes": ["OK"], "every": 20, "when": 7},
]

# The links were created days ago; every bill is paid now.
PAYING = [
    {"name": "notice", "api": "notice", "codes": ["OK"]},
    {"name": "prepay", "api": "prepay", "codes": ["OK"]},
    {"name": "pay_result", "api": "pay_result", "pay_type": "P", "codes": ["OK"]},
]


def calls_per_bill(steps):
    """Returns the mean number of calls for a bill."""
    return sum(1 / step.get("every", 1) for step in steps)
