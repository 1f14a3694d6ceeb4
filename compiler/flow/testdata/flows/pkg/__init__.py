from .inner import inner_flow as shared_flow
