"""The larger models: sealed questions in, sealed replies out.

service  the loop: events in, acknowledgements and replies out
  worker   one question: the checks in their order, the seal of its reply
    store    claims and stored replies        devices  who may ask
    models   domain -> model                  engines  the threads that models run in
"""
