-- A route holds its party's number in the form by which callers are recognised (PhoneNumber.lookup_form):
-- Argentina's mobiles without the 9, as networks there show them.

UPDATE route
   SET party_number = '+54' || substr(party_number, 5)
 WHERE party_number ~ '^\+549[0-9]{10}$'
   AND NOT EXISTS (SELECT FROM route AS other
                    WHERE other.virtual_number = route.virtual_number
                      AND other.party_number = '+54' || substr(route.party_number, 5));
