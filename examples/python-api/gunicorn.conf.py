"""Gunicorn reads this file from the working directory."""

bind = "0.0.0.0:8000"
workers = 2
threads = 4
accesslog = "-"

# The heartbeat files of the workers, and the only thing that is written: /tmp is a tmpfs under the runtime contract.
worker_tmp_dir = "/tmp"

# It would be made in the home directory, which is read-only, and nobody can come in to use it.
control_socket_disable = True
