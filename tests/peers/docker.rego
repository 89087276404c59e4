# What Docker's policies for hardened images decide about an image by its config and the packages of
# its SBOM, written down from their published rules (docker-hardened-images/policies at c33ef39);
# theirs run in `docker scout policy` and ask a registry. Input: {NAME: {"config", "packages"}}.
package hardpan.docker

found[name] contains "non-root-user" if {
	some name, image in input
	runs_as_root(image.config)
	not made_for_building(image.config)
}

found[name] contains "shell-or-package-manager" if {
	some name, image in input
	some label, packages in {
		"com.docker.dhi.shell": {"bash", "busybox"},
		"com.docker.dhi.package-manager": {"apk-tools", "apt"},
	}
	image.config.Labels[label] == ""
	some name_of_package in image.packages
	name_of_package in packages
}

# A user that is not there, or that is called so.
runs_as_root(config) if not config.User

runs_as_root(config) if config.User == "root"

made_for_building(config) if endswith(config.Labels["com.docker.dhi.version"], "-dev")

made_for_building(config) if contains(config.Labels["com.docker.dhi.version"], "-sdk-")
