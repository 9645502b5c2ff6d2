"""The plugins of the default profile, a file each; ``profiles.py`` puts them in kube-scheduler's order."""
