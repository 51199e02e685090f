"""Asterisk's configuration: the files of ``asterisk-config/`` and what differs per site.

The files are complete and static; each includes one of ``site/``, which only `render` writes, so
that addresses, secrets and trunks come from one place.
"""

import shutil
from pathlib import Path

from bridge.config import SiteSettings


def source() -> Path:
    """``asterisk-config/`` beside the package in a checkout, inside it in an installed wheel."""
    packaged = Path(__file__).parent / "_asterisk_config"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "asterisk-config"


def log_filter() -> Path:
    """A program for ``sed -u -E -f``: Asterisk's log without the text of strangers."""
    return source() / "log.sed"


def write(directory: Path, site: SiteSettings) -> None:
    """Put the whole configuration into ``directory``; the files with secrets are mode 0640."""
    (directory / "site").mkdir(parents=True, exist_ok=True)
    for file in [*source().glob("*.conf"), log_filter()]:
        shutil.copyfile(file, directory / file.name)
    for name, text in render(site).items():
        target = directory / "site" / name
        target.touch(mode=0o640)
        target.write_text(text)


def render(site: SiteSettings) -> dict[str, str]:
    """The site's part, file name by file name."""
    return {
        "http.conf": f"bindport={site.ari_port}\n",
        "ari.conf": _ari(site),
        "rtp.conf": f"rtpstart={site.rtp_port_start}\nrtpend={site.rtp_port_end}\n",
        "extensions.conf": (
            f"BRIDGE_RECORDINGS={site.spool_as_asterisk_calls_it}\nBRIDGE_APP={site.ari_app}\n"
        ),
        "pjsip.conf": _transport(site) + _trunk(site),
    }


def _ari(site: SiteSettings) -> str:
    return f"[{site.ari_user}](bridge-user)\npassword={site.ari_password.get_secret_value()}\n"


def _transport(site: SiteSettings) -> str:
    host = f"[{site.sip_host}]" if site.sip_host.version == 6 else f"{site.sip_host}"
    lines = ["[udp](masking-transport)", f"bind={host}:{site.sip_port}"]
    if site.sip_external_address:
        lines += [
            f"external_signaling_address={site.sip_external_address}",
            f"external_media_address={site.sip_external_address}",
        ]
    if site.sip_local_net:
        lines.append(f"local_net={site.sip_local_net}")
    return "\n".join(lines) + "\n\n"


def _trunk(site: SiteSettings) -> str:
    """One trunk, ``carrier``: an endpoint, where it is (AOR) and who may claim to be it.

    And from where anything at all may come by SIP, in a call and outside one.
    """
    endpoint = ["[carrier](masking-trunk)", "aors=carrier", f"allow={site.trunk_codecs}"]
    if site.trunk_rtp_symmetric:
        endpoint.append("rtp_symmetric=yes")
    sections = []
    if site.trunk_user and site.trunk_password:
        endpoint.append("outbound_auth=carrier")
        sections.append(
            [
                "[carrier]",
                "type=auth",
                "auth_type=digest",
                f"username={site.trunk_user}",
                f"password={site.trunk_password.get_secret_value()}",
            ]
        )
    sections.append(["[carrier]", "type=aor", f"contact=sip:{site.trunk_host}"])
    sections.append(
        ["[carrier]", "type=identify", "endpoint=carrier"]
        + [f"match={network}" for network in site.trunk_match]
    )
    sections.append(
        ["[trunk-networks](nobody)"] + [f"permit={network}" for network in site.trunk_sip_networks]
    )
    return "\n\n".join("\n".join(section) for section in [endpoint, *sections]) + "\n"
