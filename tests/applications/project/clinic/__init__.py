"""An application that names people by handles."""
