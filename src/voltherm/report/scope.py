"""What a report rests on, in words: assumptions, what is not modelled, and where the laws come from."""

ASSUMPTIONS = (
    "Steady states: every control has settled. The year is read hour by hour from the response to the dry bulb, at "
    "full load and without the buffer tank.",
    "All rows, racks and trays of a kind are built alike; they differ by where they stand in their loop and on their "
    "feeder. Plates of a tray stand side by side, and all their coolant enters at the supply temperature.",
    "Chips draw up to their power limit and do less work beyond it; leakage rises with the junction temperature. Power "
    "spreads evenly over a die, and within a tray evenly about its mean.",
    "The interface material under the plates is counted besides the plate's published resistance. If that was measured "
    "through such a material, junctions are some kelvins cooler than shown.",
    "Coolers and air-cooled chillers draw air at the dry bulb and the recirculation that the case states; each kelvin "
    "of it raises the chips by a little more than one while heat rejection is exhausted.",
    "Machines of a bank share their load evenly. Motors and drives have one efficiency at all loads, fans follow the "
    "cube of their speed. Where a cooler's record gives no air flow, it is that of its fan power at 180 Pa and 55 %.",
    "The conductance of a CDU follows its flows from the rated point and not the coolant's temperature.",
    "Pumps hold their set points until full speed, valves until fully open; fans and chillers share the heat where "
    "their power is least, until both are exhausted; beyond that temperatures float.",
    "UPS, substations and CDU motors give their heat to the air behind the racks, which flatters free cooling.",
    "The network is balanced and sinusoidal, taps are fixed and the utility holds its voltage; rows behind UPS draw "
    "constant power, motors follow the voltage.",
    "The buffer tank is fully mixed. Water is the make-up of the closed loop; nothing evaporates.",
    "PUE is a designed PUE in the words of ISO/IEC 30134-2. Prices cover energy, water and pipe walls: neither peak "
    "power nor the price of machines.",
)

NOT_MODELLED = (
    "outages of single units and maintenance: spare pumps and UPS modules stand in the case and all else works",
    "wind, rain and sun on equipment; fouling and ageing of exchangers; heat lost or gained by pipes",
    "air flow inside the halls and condensation on cold surfaces",
    "swings of the load with training jobs",
    "harmonics, unbalance, protection, voltage transients and the batteries of the UPS",
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
