"""The charter of the room that drills attack: two holdings about the same people, two units, tight budgets."""

from __future__ import annotations

TEXT = """
name: drill.example
delay: 0s
heartbeat: 1h
merge-units-below: 1
holdings:
  residents:
    about: The register of residents of a town that is none
    lawful-basis: Drill Act, section 1
    retention: 10y
    compartments:
      identity: {number: 1}
      birth: {number: 2}
      contact: {number: 3}
      residence: {number: 4, floor: 320}
    fields:
      id-number: {type: resident-id, compartment: identity, identifier: primary, required: true}
      name: {type: person-name, compartment: identity, required: true}
      born: {type: date, compartment: birth}
      sex: {type: enum, compartment: birth, values: [female, male, other]}
      phone: {type: phone, compartment: contact, identifier: secondary, region: CN}
      email: {type: email, compartment: contact}
      address: {type: address, compartment: residence, max: 180}
      district: {type: text, compartment: residence}
  patients:
    about: The patients of its one surgery
    lawful-basis: Drill Act, section 2
    retention: 3y
    compartments:
      person: {number: 1}
    fields:
      id-number: {type: resident-id, compartment: person, identifier: primary, required: true}
      name: {type: person-name, compartment: person, required: true}
      blood: {type: enum, compartment: person, values: [A, B, AB, O]}
purposes:
  confirm:
    about: To see that somebody is who they say they are
    lawful-basis: Drill Act, section 3
    actions: [find, disclose]
    roles: [clerk]
    units: [registry]
    find-by: {residents: [resident-id, phone]}
    reads: {residents: {name: clear, id-number: last-four}}
    budgets: {reader: [90/hour]}
  reach:
    about: To reach somebody
    lawful-basis: Drill Act, section 4
    actions: [find, disclose]
    roles: [clerk]
    units: [registry]
    find-by: {residents: [resident-id, phone]}
    reads: {residents: {name: clear, phone: clear, email: clear}}
    budgets: {reader: [40/hour], unit: [400/day]}
  visit:
    about: To visit somebody at home
    lawful-basis: Drill Act, section 5
    actions: [disclose]
    roles: [clerk]
    units: [registry]
    reads: {residents: {address: clear}}
    budgets: {reader: [2/hour]}
  register:
    about: To take people in
    lawful-basis: Drill Act, section 6
    actions: [intake]
    roles: [registrar]
    units: [registry]
    reads: {residents: {}, patients: {}}
    budgets: {reader: [100000/day]}
budgets:
  room: [60/hour, 240/day]
"""

PEOPLE = {
    "ana": ("clerk", "registry"),
    "ben": ("clerk", "registry"),
    "rui": ("registrar", "registry"),
    "cleo": ("clerk", "archive"),
}
"""Readers: name -> role, unit. The last one's unit has no purpose."""
