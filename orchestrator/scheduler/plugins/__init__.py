"""The plugins of the default profile, a file each; ``default.py`` puts them in kube-scheduler's order."""
