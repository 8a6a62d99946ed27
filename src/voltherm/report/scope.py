"""What a report rests on, in words: assumptions, what is not modelled, and where the laws come from."""

ASSUMPTIONS = (
    "Steady states: every control has settled. The year is read hour by hour from the response to "
    "the dry bulb, at full load.",
    "All rows, racks and trays of a kind are built alike; they differ by where they stand in their "
    "loop and on their feeder.",
    "Chip power rises with junction temperature by leakage; within a tray it spreads evenly about its mean.",
    "Dry coolers stand in free air at the ambient dry bulb; trim chillers are air-cooled and "
    "evenly loaded; chillers of the air "
    "side reject into the facility water.",
    "Pumps hold their set points until full speed, valves until fully open; fans and chillers share the heat where "
    "their power is least, until both are exhausted; beyond that temperatures float.",
    "The network is balanced and sinusoidal; rows behind UPS draw constant power, motors follow the voltage.",
    "Water is the make-up of the closed loop. Nothing evaporates.",
)

NOT_MODELLED = (
    "failure of single units, maintenance and redundancy (all equipment shown is working)",
    "hot air drawn back into dry coolers, wind, rain and sun on equipment",
    "air flow inside the halls and condensation on cold surfaces",
    "heat lost or gained by pipes, fouling and ageing of exchangers",
    "swings of the load with training jobs",
    "harmonics, unbalance, protection, voltage transients and the batteries of the UPS",
    "dynamics of controls, apart from valve strokes after heat rejection is lost",
)

SOURCES = (
    (
        "Junction temperatures",
        "thermal resistance chain of package, interface and cold plate; leakage exponential in "
        "temperature; power limit and throttling of the chips",
    ),
    (
        "Pipes and valves",
        "Darcy-Weisbach with Colebrook friction; IEC 60534 valves; global gradient solve (Todini and Pilati, 1988)",
    ),
    (
        "Exchangers",
        "effectiveness and number of transfer units, calibrated at the published ratings named in the configuration",
    ),
    ("Network", "AC power flow; conventions of the MATPOWER User's Manual, chapter 3; loading by current (IEC 60354)"),
    ("PUE, WUE", "ISO/IEC 30134-2 and 30134-9"),
    ("Sensitivities", "exact derivatives of the solved state by the implicit function theorem"),
)
