"""Reads tags of an LLRP reader with sllurp and prints them: EPC, antenna, and what else it reports, one JSON object a line.

Usage: llrp_client.py PORT SECONDS VENDOR
"""

import json
import sys
import time

from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

port, seconds, vendor = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
options = {"tx_power": 2, "report_every_n_tags": 1, "start_inventory": True, "reset_on_connect": False}
options["tag_content_selector"] = {
    "EnableAntennaID": True, "EnableChannelIndex": True, "EnablePeakRSSI": True, "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True, "EnableTagSeenCount": True, "EnableROSpecID": True, "EnableSpecIndex": False,
    "EnableInventoryParameterSpecID": False, "EnableAccessSpecID": False,
}
if vendor == "impinj":
    options["impinj_extended_configuration"] = True
    options["impinj_search_mode"] = 2
    options["impinj_reports"] = True
    options["impinj_tag_content_selector"] = {"EnableRFPhaseAngle": True, "EnablePeakRSSI": True, "EnableRFDopplerFrequency": False}


def report(_reader, tags):
    for tag in tags:
        print(json.dumps({key: value.decode("ascii", "replace") if isinstance(value, bytes) else value for key, value in tag.items()},
                         default=str), flush=True)


client = LLRPReaderClient("127.0.0.1", port, LLRPReaderConfig(options))
client.add_tag_report_callback(report)
client.connect()
time.sleep(seconds)
client.disconnect()
client.join(5)
