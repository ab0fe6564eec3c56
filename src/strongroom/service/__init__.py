"""The vault on the network: HTTP in front of custody (SPEC.md section 10)."""
