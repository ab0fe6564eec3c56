"""The charter of the room that drills attack: four holdings about the same people, several organs, tight budgets."""

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
  health-codes:
    about: Who may go where in an epidemic that is none
    lawful-basis: Drill Act, section 7
    retention: 14d
    compartments:
      person: {number: 1}
      code: {number: 2}
      grounds: {number: 3}
    fields:
      id-number: {type: resident-id, compartment: person, identifier: primary, required: true}
      code:
        type: enum
        compartment: code
        required: true
        values: [green, yellow, red]
        needs: {yellow: [evidence], red: [evidence]}
      evidence: {type: text, compartment: grounds, max: 200}
  calls:
    about: Who called whom
    lawful-basis: Drill Act, section 8
    retention: 90d
    compartments:
      from: {number: 1, person: caller}
      to: {number: 2, person: callee}
      call: {number: 3, person: nobody}
    fields:
      caller: {type: phone, compartment: from, identifier: primary, required: true, region: CN}
      callee: {type: phone, compartment: to, identifier: primary, region: CN}
      day: {type: date, compartment: call}
      seconds: {type: number, compartment: call}
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
    reads: {residents: {}, patients: {}, calls: {}}
    budgets: {reader: [100000/day]}
  ask-age:
    about: To sell something to adults alone
    lawful-basis: Drill Act, section 9
    actions: [check]
    roles: [clerk]
    units: [registry]
    reads: {residents: {}}
    checks: {residents: {born: [adult], district: [matches], phone: [matches]}}
    budgets: {reader: [30/hour], record: [5/day]}
  look-back:
    about: To see what stood in a record before it was corrected
    lawful-basis: Drill Act, section 10
    actions: [disclose]
    roles: [archivist]
    units: [registry]
    reads: {residents: {name: clear, phone: clear}}
    history: true
    budgets: {reader: [10/hour]}
  correct-entry:
    about: To correct what is wrong in the register
    lawful-basis: Drill Act, section 11
    actions: [correct, intake]
    roles: [registrar]
    units: [registry]
    reads: {residents: {name: clear, phone: clear, email: clear, address: clear}, calls: {day: clear, seconds: clear}}
    budgets: {reader: [1000/day]}
  close-record:
    about: To erase the record of somebody who moved away
    lawful-basis: Drill Act, section 12
    actions: [erase]
    roles: [registrar]
    units: [registry]
    reads: {residents: {}, health-codes: {}, calls: {}}
    budgets: {reader: [20/day]}
  hand-over:
    about: To hand some records to a court
    lawful-basis: Drill Act, section 13
    actions: [export]
    roles: [archivist]
    units: [registry]
    reads: {residents: {name: clear}}
    most: 20
    budgets: {reader: [40/day]}
  set-code:
    about: To set somebody's health code
    lawful-basis: Drill Act, section 14
    actions: [intake]
    roles: [doctor, officer]
    units: [hospital, epidemic-office]
    reads: {health-codes: {}}
    tells: true
    countersign: {roles: [doctor, officer], units: [hospital, epidemic-office]}
    budgets: {reader: [500/day]}
  contain:
    about: To see whether somebody may enter where infection spreads
    lawful-basis: Drill Act, section 15
    actions: [find, disclose]
    roles: [doctor]
    units: [hospital]
    find-by: {health-codes: [resident-id]}
    reads: {health-codes: {code: clear}}
    budgets: {reader: [30/hour]}
  appeal:
    about: To decide on an appeal against a code
    lawful-basis: Drill Act, section 16
    actions: [find, disclose]
    roles: [officer]
    units: [epidemic-office]
    find-by: {health-codes: [resident-id]}
    reads: {health-codes: {code: clear, evidence: clear}}
    budgets: {reader: [20/day]}
  trace-call:
    about: To find whom a suspect called, one hop at a time
    lawful-basis: Drill Act, section 17
    actions: [find, disclose]
    roles: [detective]
    units: [police]
    find-by: {calls: [phone]}
    reads: {calls: {caller: clear, callee: clear, day: clear}}
    budgets: {reader: [30/hour], record: [3/day]}
  answer-court:
    about: To answer a court about what is kept past its day by its order alone
    lawful-basis: Drill Act, section 18
    actions: [disclose]
    roles: [archivist]
    units: [registry]
    reads: {health-codes: {code: clear, evidence: clear}}
    held: true
    budgets: {reader: [10/hour]}
budgets:
  room: [60/hour, 240/day]
"""

PEOPLE = {
    "ana": ("clerk", "registry"),
    "ben": ("clerk", "registry"),
    "rui": ("registrar", "registry"),
    "cleo": ("clerk", "archive"),
    "dora": ("doctor", "hospital"),
    "emil": ("doctor", "hospital"),
    "odd": ("officer", "epidemic-office"),
    "dee": ("detective", "police"),
    "arno": ("archivist", "registry"),
}
"""Readers: name -> role, unit. No purpose is for cleo's unit."""
