"""``strongroom find``: is this person here? The question is a disclosure and stands in the ledger (SPEC.md section 7.2)."""

from __future__ import annotations

from strongroom.cli import arguments
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import count
from strongroom.custody import asking


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        find,
        description="""Ask whether a person is here, by an identifier, which must match exactly. Prints the handles of the records. The question
is an entry in the ledger, hit or miss, and whoever has the identifier will see it.""",
        examples=[
            "strongroom find --as chen --purpose confirm-identity --by resident-id --case R-2031 --reason 'moves to another district'",
            "strongroom find --as chen --purpose contact-resident --by phone --case R-2031 --reason '核对迁入登记' < number.txt",
        ],
        exits=REMOTE,
    )
    arguments.add_ask(found)
    arguments.add_identifier(found, required=True)


def find(call: Call) -> int:
    args, out = call.args, call.out
    with arguments.opened(call) as room:
        mandate = arguments.mandate(call, room)
        with arguments.naming(args.by):
            found = asking.find(room, mandate, args.by, arguments.identifier(call))
    for handle in found.handles:
        out.line(handle.hex())
    if not found.handles:
        out.line("nobody here has that identifier")
    records = count(len(found.handles), "record")
    out.note(f"{records}. Entry {found.index} of the ledger; whoever has that identifier will see the question.")
    out.document(
        {"entry": found.index, "handles": list(found.handles), "holding": mandate.holding, "receipt": found.receipt}
    )
    return 0
