"""What every server of ours needs: configuration, TLS, health, logs, metrics, an orderly end. It knows nothing of records."""
