"""A table of an application's own, with handles in it, against a real room."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, select, text
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.schema import CreateTable
from tests.client.served import WHY, Resident, Served

from strongroom import Handle
from strongroom.applications.people import People
from strongroom.applications.sqlalchemy import Person, aresolve, resolve
from strongroom.client.memory import InMemory
from strongroom.errors import InputError, Refused


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    paid: Mapped[bool]
    # Named otherwise on the object than in the table.
    who: Mapped[Handle | None] = mapped_column("person", Person("residents"), unique=True)


ASKED: Any = {"purpose": "confirm", **WHY}


@pytest.fixture
def engine(tmp_path: Path, residents: list[Resident]) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add_all(Customer(paid=at % 2 == 0, who=one.handle) for at, one in enumerate(residents[:6]))
        session.add(Customer(paid=False, who=None))
        session.commit()
    yield made
    made.dispose()


def test_many_in_one_ask(engine: Engine, served: Served, residents: list[Resident]) -> None:
    with served.room("ana", InMemory()) as room, Session(engine) as session:
        rows = session.scalars(select(Customer).order_by(Customer.id)).all()
        people = resolve(room, rows, Customer.who, ["name"], **ASKED)
        assert [people[row]["name"] for row in rows if row in people] == [one.values["name"] for one in residents[:6]]
        assert people[residents[0].handle] is people[rows[0]]
        assert set(people) == {one.handle for one in residents[:6]}
        assert rows[-1] not in people
        with pytest.raises(KeyError, match="names nobody"):
            people[rows[-1]]
        assert people.proof is not None
        before = people.proof.entry
        assert resolve(room, rows[:1], Customer.who, ["name"], **ASKED).proof.entry == before + 1  # type: ignore[union-attr]


def test_from_coroutines(engine: Engine, served: Served, residents: list[Resident]) -> None:
    async def names() -> list[str | None]:
        async with served.aroom("ana", InMemory()) as room:
            with Session(engine) as session:
                rows = session.scalars(select(Customer).where(Customer.paid).order_by(Customer.id)).all()
                people = await aresolve(room, rows, Customer.who, ["name"], **ASKED)
                empty = await aresolve(room, [], Customer.who, ["name"], **ASKED)
                assert not empty
                return [people[row]["name"] for row in rows]

    assert asyncio.run(names()) == [one.values["name"] for one in residents[:6:2]]


def test_nothing_is_asked_where_no_row_names_anybody(engine: Engine, served: Served) -> None:
    with served.room("ana", InMemory()) as room, Session(engine) as session:
        nobody = session.scalars(select(Customer).where(Customer.who.is_(None))).all()
        people = resolve(room, nobody, Customer.who, ["name"], **ASKED)
    assert (len(people), people.proof) == (0, None)


def test_values_are_nowhere_but_in_the_answer(
    engine: Engine, served: Served, residents: list[Resident], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    name = str(residents[0].values["name"])
    with served.room("ana", InMemory()) as room, Session(engine) as session:
        rows = session.scalars(select(Customer)).all()
        people = resolve(room, rows, Customer.who, ["name"], **ASKED)
        assert people[rows[0]]["name"] == name
        assert name not in repr(people)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(people)
        for row in rows:
            assert name.encode() not in pickle.dumps(row)
            assert name not in repr(row.__dict__)
        rows[0].paid = not rows[0].paid
        session.commit()
    assert name not in caplog.text
    for file in tmp_path.iterdir():
        assert name.encode() not in file.read_bytes()


def test_what_is_no_handle_does_not_get_into_the_table(engine: Engine, residents: list[Resident]) -> None:
    with Session(engine) as session:
        for wrong in ("Wang Fang", b"short", 17):
            session.add(Customer(paid=False, who=wrong))
            with pytest.raises(StatementError, match="a handle is"):
                session.commit()
            session.rollback()
        # Its hex digits are it.
        found = session.scalars(select(Customer).where(Customer.who == str(residents[1].handle))).one()
        assert found.who == residents[1].handle
        assert isinstance(found.who, Handle)
        stored = session.execute(text("SELECT person FROM customers WHERE id = 1")).scalar()
        assert stored == bytes(residents[0].handle)
        session.execute(insert(Customer), [{"paid": True, "who": bytes(range(16))}])


def test_its_column_on_each_database() -> None:
    def ddl(dialect: Any) -> str:
        return str(CreateTable(Customer.__table__).compile(dialect=dialect))  # type: ignore[arg-type]

    assert "person BLOB" in ddl(sqlite.dialect())
    assert "person BYTEA" in ddl(postgresql.dialect())  # type: ignore[no-untyped-call]
    assert "person BINARY(16)" in ddl(mysql.dialect())
    assert "person BINARY(16)" in ddl(mssql.dialect())  # type: ignore[no-untyped-call]
    assert Person("residents").python_type is Handle


def test_what_is_asked_wrong(engine: Engine, served: Served, residents: list[Resident]) -> None:
    class Other:
        who = "Wang Fang"

    with served.room("ana", InMemory()) as room, Session(engine) as session:
        rows = session.scalars(select(Customer)).all()
        with pytest.raises(InputError, match=r"Customer\.person"):
            resolve(room, rows, Customer.paid, ["name"], **ASKED)
        with pytest.raises(InputError, match="hold handles"):
            resolve(room, [Other()], Customer.who, ["name"], **ASKED)
        with pytest.raises(InputError, match="a list of fields"):
            resolve(room, rows, Customer.who, "name", **ASKED)
        with pytest.raises(Refused) as caught:
            resolve(room, rows, Customer.who, ["email"], **ASKED)
        assert caught.value.code == "field"
        assert isinstance(resolve(room, rows[:1], Customer.who, ["name"], **ASKED), People)
