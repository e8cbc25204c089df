"""The commands that are no stages, a file each."""
