"""A witness of transparency logs, and the asking of witnesses (C2SP tlog-witness; SPEC.md section 5.9)."""
