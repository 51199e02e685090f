# Asterisk's log, as it may be kept: sed -u -E -f log.sed, from its JSON (logger.conf) to lines.
#
# A warning may quote what a caller or a carrier wrote: a host name, a header, a number in any form.
# So of each message there are time, level and place in Asterisk's source, which say what happened;
# the text only where nothing that came over the network can be in it: settings, start, overload.

s/^\{"hostname":"[^"]*","timestamp":"([^"]*)","identifiers":\{"lwp":([0-9]+),"callid":"[^"]*"\},"logmsg":\{"location":\{"filename":"([^"]*)","function":"([^"]*)","line":([0-9]+)\},"level":"([^"]*)","message":"(.*)$/\1 \6[\2] \3:\5 \4: \7/
t message
# Not of the logger: what is said before it is up, and as a program dies.
s/[0-9]/#/g
b

:message
s/(\\n)*"\}\}$//
/^[^]]*\] (asterisk|config|config_options|loader|logger|pbx_config|sorcery|taskpool|taskprocessor|tcptls|threadpool|res_sorcery_config|res_pjsip\/config_(auth|global|system|transport)|res_pjsip\/pjsip_configuration|res_pjsip_endpoint_identifier_ip)\.c:/!s/^([^]]*\] [^ ]* [^ ]*) .*/\1 (text left out)/
s/[0-9]{7,}/#######/g
