"""Staff accounts and their sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Row, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN

from store.database import Read, Write
from store.metadata import Moment, metadata

staff = Table(
    "staff",
    metadata,
    Column("id", UUID_COLUMN(as_uuid=True), primary_key=True),
    # Always in lower case.
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("last_seen_at", Moment),
    Column("created_at", Moment, nullable=False),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    # SHA-256 of the cookie's value: whoever reads the table cannot sign in with it.
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)


class Role(StrEnum):
    """What a member of the staff may do; one can have several."""

    MEDIATOR = "mediator"
    EDITOR = "editor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A member of the staff, without the password."""

    id: UUID
    login: str
    name: str
    roles: frozenset[Role]
    language: str
    capacity: int
    active: bool


def _member(row: Row[Any]) -> StaffMember:
    return StaffMember(
        id=row.id,
        login=row.login,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles),
        language=row.language,
        capacity=row.capacity,
        active=row.active,
    )


async def add(
    connection: Write,
    *,
    new_id: UUID,
    login: str,
    name: str,
    roles: Sequence[Role],
    password_hash: str,
    language: str,
    capacity: int,
    now: datetime,
) -> bool:
    """Add a member; False where the login is taken."""
    added = await connection.execute(
        insert(staff)
        .values(
            id=new_id,
            login=login.lower(),
            name=name,
            roles=[role.value for role in roles],
            password_hash=password_hash,
            language=language,
            capacity=capacity,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(staff.c.id)
    )
    return added.scalar_one_or_none() is not None


async def everyone(connection: Read) -> list[StaffMember]:
    """Give all members, by login."""
    return [_member(row) for row in await connection.execute(select(staff).order_by(staff.c.login))]


async def by_login(connection: Read, login: str) -> tuple[StaffMember, str] | None:
    """Give an active member and the stored hash of the password, or None."""
    if "\0" in login:
        # PostgreSQL takes no NUL, and nobody has one.
        return None
    row = (await connection.execute(select(staff).where(staff.c.login == login.lower(), staff.c.active))).one_or_none()
    return None if row is None else (_member(row), row.password_hash)


async def by_id(connection: Read, staff_id: UUID) -> StaffMember | None:
    """Give a member, active or not, or None."""
    row = (await connection.execute(select(staff).where(staff.c.id == staff_id))).one_or_none()
    return None if row is None else _member(row)


async def set_password(connection: Write, staff_id: UUID, password_hash: str) -> None:
    """Store a new password and end the member's sessions."""
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(password_hash=password_hash))
    await connection.execute(delete(staff_sessions).where(staff_sessions.c.staff_id == staff_id))


async def change(connection: Write, member: StaffMember) -> None:
    """Store roles, capacity and whether the member is active; who is not has no session any more."""
    await connection.execute(
        update(staff)
        .where(staff.c.id == member.id)
        .values(roles=sorted(member.roles), capacity=member.capacity, active=member.active)
    )
    if not member.active:
        await connection.execute(delete(staff_sessions).where(staff_sessions.c.staff_id == member.id))


async def set_language(connection: Write, staff_id: UUID, language: str) -> None:
    """Remember the language in which a member wants the desk."""
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(language=language))


async def open_session(
    connection: Write, *, token_hash: bytes, staff_id: UUID, now: datetime, expires_at: datetime
) -> None:
    """Remember a sign-in."""
    await connection.execute(
        insert(staff_sessions).values(token_hash=token_hash, staff_id=staff_id, created_at=now, expires_at=expires_at)
    )


async def by_session(connection: Read, token_hash: bytes, *, now: datetime) -> StaffMember | None:
    """Give the active member of a session that has not expired, or None."""
    row = (
        await connection.execute(
            select(staff)
            .join(staff_sessions, staff_sessions.c.staff_id == staff.c.id)
            .where(staff_sessions.c.token_hash == token_hash, staff_sessions.c.expires_at > now, staff.c.active)
        )
    ).one_or_none()
    return None if row is None else _member(row)


async def close_session(connection: Write, token_hash: bytes) -> None:
    """Forget a sign-in."""
    await connection.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash))


async def seen(connection: Write, staff_id: UUID, *, now: datetime) -> None:
    """Remember that a member's console is open."""
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(last_seen_at=now))


async def on_duty(connection: Read, *, since: datetime) -> int:
    """Count the mediators whose console was open after a moment."""
    result = await connection.execute(
        select(func.count())
        .select_from(staff)
        .where(staff.c.active, staff.c.roles.contains([Role.MEDIATOR.value]), staff.c.last_seen_at > since)
    )
    return result.scalar_one()
