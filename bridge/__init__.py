"""The number-masking bridge.

A call's path through the code, and where to start reading::

    ari.stream            Asterisk's events, read and never awaited upon
    calls.switchboard     every call in a task of its own, one record each
    calls.masked_call     THE STORY: a call from its arrival to its end
    domain.routing        whom to ring, or why nobody: a pure decision
    ari.client            what the story asks of Asterisk
    store.journal         what happened, on its way to Postgres

and a request's::

    api.operations        the table of all requests
    api.sessions          three lines each: read, do, answer
    store.sessions        a virtual number taken, in one statement

Layers, each may import only those below it (held by import-linter)::

    __main__ | cli        the command line
    embedded              Postgres, Asterisk and phones on this machine, to try and to test
    main                  builds every part once, and runs them together
    event_delivery        what brings events to those who are told, run as one part
      | readiness         what cannot be done now, looked at before somebody tries
    asterisk_config       Asterisk's files, with what differs per site
      | firewall          rules for nftables: who may send to Asterisk at all
    api | calls           what clients ask; what people on the phone do;
      | webhooks          what applications are told of it
    prompts               sounds by URL, at hand as Asterisk plays them
      | recordings        recordings after their calls: converted, kept, erased in time
    store | ari           Postgres; Asterisk
      | egress | audio    HTTP to URLs that clients name; sounds decoded and encoded
    config | logs         settings; media_settings and others beside them
    domain | aio          values and decisions, no I/O; the one concurrency helper

`api` and `calls` name what they need of the layer below as protocols and never import `store`.
Why it is so: DECISIONS.md, beside this file.
"""
