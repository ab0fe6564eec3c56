"""For applications that use a room: a handle in their own table, and what it stands for asked for when it is needed (docs/applications.md)."""
