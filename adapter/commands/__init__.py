"""The commands of `losus`, one file each."""
