"""What a guest of the fake hypervisor writes on its console: a boot of cirros, or near enough.

The text is computed from the guest when it is read, and stored nowhere.  Each start of the guest adds one boot to it.
"""

from datetime import UTC, datetime

from mininova.virt.guests import Guest

KERNEL = (
    (0.000000, "Linux version 5.15.0-117-generic (buildd@mininova) #127-Ubuntu SMP"),
    (0.000000, "Command line: LABEL=cirros-rootfs ro console=tty1 console=ttyS0"),
    (0.000000, "BIOS-provided physical RAM map:"),
    (0.000000, "Hypervisor detected: mininova fake"),
    (0.004137, "Memory: {memory_kb}K available"),
    (0.018202, "smpboot: Allowing {vcpus} CPUs, 0 hotplug CPUs"),
    (0.311420, "rtc_cmos 00:00: setting system clock to {at} UTC"),
    (0.592633, "virtio_blk virtio1: [{disk}] {sectors} 512-byte logical blocks ({disk_gb} GiB)"),
    (0.871005, "Freeing unused kernel image memory"),
    (0.874519, "Run /init as init process"),
)


def text(guest: Guest) -> str:
    """Give all that a guest has written since it was made, with no newline after the last line."""
    return "\n".join(line for at in guest.boots for line in boot(guest, at))


def boot(guest: Guest, at: float) -> list[str]:
    """Give the lines of one boot.

    :param at: when it began, as epoch seconds
    """
    facts = {
        "at": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}",
        "memory_kb": guest.memory_mb * 1024,
        "vcpus": guest.vcpus,
        "disk": guest.disks[0],
        "disk_gb": guest.disk_gb,
        "sectors": guest.disk_gb * 2**21,
    }
    return [
        *(f"[{seconds:12.6f}] {words.format_map(facts)}" for seconds, words in KERNEL),
        "info: initramfs: up at 0.97",
        f"info: mounting /dev/{guest.disks[0]} on /",
        "info: /etc/init.d/rc.sysinit: up at 1.63",
        "Starting syslogd: OK",
        "Starting network...",
        *(f"udhcpc: lease of {nic.address} obtained for eth{number}" for number, nic in enumerate(guest.nics)),
        f"checking datasource: {'configdrive' if guest.config_drive else 'ec2'}: found",
        "=== system information ===",
        "Platform: mininova fake hypervisor",
        f"Flavor: {guest.flavor}",
        f"Image: {guest.image}",
        f"CPU(s): {guest.vcpus}",
        f"RAM Size: {guest.memory_mb}MB",
        f"Disks: {' '.join(guest.disks)}",
        "=== network info ===",
        "if-info: lo,up,127.0.0.1",
        *(f"if-info: eth{number},up,{nic.address},{nic.mac_address}" for number, nic in enumerate(guest.nics)),
        "=== datasource ===",
        f"instance-id: {guest.uuid}",
        f"local-hostname: {guest.hostname}",
        f"launch-time: {facts['at']}Z",
        "=== cirros: current=0.6.2 uptime=2.31 ===",
        "login as 'cirros' user. default password: 'gocubsgo'. use 'sudo' for root.",
        f"{guest.hostname} login:",
    ]
