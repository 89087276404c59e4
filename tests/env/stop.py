"""Ends everything of this checkout: daemons by their records, their containers and mounts,
and what the kernel was told."""

import emulation
import engine
import layout
import leftovers
import process
import registry


def main():
    if not layout.STATE.exists():
        return
    with layout.lock("up"):
        for name in engine.STORES:
            if engine.stop(name):
                layout.say(f"           ✓  stopped {name}")
        names = process.recorded_names()
        # The registry last: a build that is being cancelled may still speak to it.
        for name in sorted(names, key=lambda name: (name == registry.NAME, name)):
            if process.stop(name):
                layout.say(f"           ✓  stopped {name}")
        leftovers.remove_below(layout.STATE)
        emulation.down()
        folder = layout.socket_folder()
        for socket in folder.glob("*.sock"):
            socket.unlink(missing_ok=True)
        if folder != layout.RUN and folder.exists():
            folder.rmdir()


if __name__ == "__main__":
    main()
